"""The report of a run: one page, and the same pictures as SVG files. It needs neither TensorFlow nor Keras.

reading.py    from the run's files to what is drawn; what is damaged or missing, and why
marks.py      SVG: elements, scales, colours
heatmap.py, curves.py, networks.py, bars.py    the pictures
words.py      the sentences
plots.py      every picture by its kind, as a file of its own
page.py       the page, and writing it all into the run
"""
