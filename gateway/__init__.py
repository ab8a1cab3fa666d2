"""The edge: sockets and public HTTP, the sessions behind them, and the hub that ties sessions to cells."""
