"""Pictures of models: what they are made of, the shapes between their layers, and where their time goes."""
