# The base of every image here: what `python:3.11-slim` is where a registry can be reached.
FROM scratch
ADD rootfs /
ENV PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8
CMD ["python3"]
