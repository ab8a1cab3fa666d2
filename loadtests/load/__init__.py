"""The load kit: scenarios of phones and agents against any server, judged and reported."""
