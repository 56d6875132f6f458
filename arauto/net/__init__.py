"""Sockets: writes with a deadline, WebSocket, IP addresses."""
