"""Where bytes come from: brokers, web servers, files. No disk of ours, nothing is decoded here."""
