"""All that a person looks at: figures, sentences, the page."""
