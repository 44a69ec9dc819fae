# What keeps the namespaces of a Pod: catatonit of Debian, one static program.
FROM scratch
COPY catatonit /
USER 65535:65535
ENTRYPOINT ["/catatonit", "-P"]
