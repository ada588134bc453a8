"""GA/T 1049.2: messages, objects and codes as public sources state them."""
