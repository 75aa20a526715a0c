"""The report of a run: one page, and the same pictures as SVG files. It needs neither TensorFlow nor Keras.

reading.py    from the run's files to what is drawn; what is damaged or missing, and why
sentences.py  what is said in words
svg/          the drawing primitives (elements, axes, colours, sheet), and one file for each picture
pictures.py   every picture by its kind, as a file of its own
page.py       the page, and writing it all into the run
"""
