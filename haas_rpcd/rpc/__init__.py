"""The protocol: HTTP and WebSocket (transport), JSON-RPC 2.0 (dispatch), OpenRPC (openrpc)."""
