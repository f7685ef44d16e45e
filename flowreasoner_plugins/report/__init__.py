"""The report: runs and benches as one HTML file that needs nothing else (docs/report.md).

Data flows one way: the store or a bench's folder, `sources`, `designs` and `benches`, `page`, the file. What the page
holds was written by models, and is handled as hostile: it gets into the page as data, and onto it as text.
"""
