"""Every face of the hub: HTTP routers, portal, command line."""
