"""pprof profiles: the protobuf form and the legacy texts, in; the protobuf form, out."""
