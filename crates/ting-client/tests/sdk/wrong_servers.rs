//! Servers that do not keep the protocol.
