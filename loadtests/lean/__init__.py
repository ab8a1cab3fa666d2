"""What drives a server to its limits at the least cost: raw sockets and frames encoded beforehand."""
