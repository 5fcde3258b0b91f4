"""Pages over the published gold, drawn by Streamlit.

`app.draw` is what Streamlit runs for each visitor: it opens the newest gold file (`gold`), takes
the filters (`period`), and draws one of `pages`. Figures become text in `formats`, HTML in
`markup`, Vega-Lite in `charts`. What happens right now comes from outside, as `live.LiveFacts`.
"""
