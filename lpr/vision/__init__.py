"""Finding and reading plates in pictures with OpenCV alone."""
