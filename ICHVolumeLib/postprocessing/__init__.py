"""What stands behind the network: each step asks the scan or the network once more and says what it changed."""
