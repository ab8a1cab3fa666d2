"""What gateways, engines and workers say to each other through Redis. Internal: no client ever sees it."""
