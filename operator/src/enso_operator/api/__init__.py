"""The wire: what people write in manifests."""
