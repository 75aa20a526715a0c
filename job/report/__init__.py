"""The report of a run: one page, and the same pictures as SVG files. It needs neither TensorFlow nor Keras.

reading.py    from the run's files to what is drawn; what is damaged or missing, and why
sentences.py  the sentences
table.py      the leaderboard as a table, for a terminal and for Python
answers.py    what networks answer for the rows of their problem
svg/          the drawing primitives (elements, axes, lines, colours, sheet), and one file for each picture
pictures.py   the list of the pictures, and each as a file of its own
close_up.py   what the page shows of one trial
page.py       the page, and writing everything into the run
"""
