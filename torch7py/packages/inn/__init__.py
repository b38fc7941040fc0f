"""inn (imagine-nn): layers of image models, among them those of objects' regions."""
