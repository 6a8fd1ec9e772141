"""Cases as data: what tables say, how cases are checked, split and accounted for."""
