"""The Streamlit pages: a gallery, and a page of a few lines for each algorithm."""
