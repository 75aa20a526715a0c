"""The report in a real browser: Debian's chromium, driven by playwright. Without chromium these tests skip."""

import os
import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright
from runs import under_other_names

from job.config import SweepConfig
from job.report.page import write_report
from job.run import open_run

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here (on Debian: apt-get install chromium)")

LIGHT, DARK = "rgb(255, 255, 255)", "rgb(18, 20, 24)"


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        # A container's root has no user namespaces for chromium's sandbox; the page is our own.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def look(chromium):
    """Open the report of a run; at the end, neither the console nor the network may have had any trouble."""
    troubles, contexts = [], []

    def call(run, width=1200, **how):
        context = chromium.new_context(viewport={"width": width, "height": 900}, **how)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: troubles.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("requestfailed", lambda request: troubles.append(request.url))
        address = (run / "report" / "index.html").as_uri()
        page.on(
            "request",
            lambda request: None if request.url.startswith((address, "data:")) else troubles.append(request.url),
        )
        page.goto(address)
        return page

    yield call
    for context in contexts:
        context.close()
    assert not troubles


def cells(page, head):
    """Return a column of the leaderboard, as it is shown."""
    table = page.locator("#leaderboard table")
    heads = [words.strip() for words in table.locator("thead th").all_inner_texts()]
    place = next(at for at, words in enumerate(heads) if words.startswith(head))
    return [row.locator("th, td").nth(place).inner_text().strip() for row in table.locator("tbody tr").all()]


def test_the_table_is_sorted_by_the_column_whose_head_is_pressed(finished, look):
    page = look(finished.run)
    assert cells(page, "trial") == ["l1-n32 ★", "l1-n8", "l1-n2"]
    head = page.locator("#leaderboard thead th", has_text="neurons")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert cells(page, "neurons") == ["2", "8", "32"]
    head.get_by_role("button").press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert cells(page, "neurons") == ["32", "8", "2"]
    assert page.locator("#leaderboard th[aria-sort]").count() == 1


def test_trials_are_sorted_in_the_order_of_the_grid(finished, look, tmp_path):
    config = SweepConfig(layers=(1,), neurons=(2,), learning_rate=(0.03, 0.1, 0.2), replicates=16, epochs=400)
    run = tmp_path / "runs" / "rates"
    under_other_names(finished.run, ("l1-n32", "l1-n2", "l1-n8"), config, run)
    write_report(open_run(str(run), "."))
    page = look(run)
    ranked = ["l1-n2-lr0.03", "l1-n2-lr0.2", "l1-n2-lr0.1"]
    assert [words.split()[0] for words in cells(page, "trial")] == ranked
    page.locator("#leaderboard thead th", has_text="trial").get_by_role("button").click()
    assert [words.split()[0] for words in cells(page, "trial")] == ["l1-n2-lr0.03", "l1-n2-lr0.1", "l1-n2-lr0.2"]


def test_a_number_that_the_data_do_not_reach_is_sorted_last_both_ways(finished, look):
    page = look(finished.run)
    button = page.locator("#leaderboard thead th", has_text="median").get_by_role("button")
    for _ in range(2):
        button.click()
        assert cells(page, "median")[-1].startswith(">400")


def test_pointing_at_a_cell_shows_its_intervals_and_so_does_the_keyboard(finished, look):
    page = look(finished.run)
    tip = page.get_by_role("tooltip", include_hidden=True)
    assert tip.is_hidden()
    cell = page.locator("a.cell[data-trial='l1-n8']")
    cell.hover()
    assert tip.is_visible()
    shown = tip.inner_text()
    assert shown.startswith("l1-n8\nmedian ")
    assert re.search(r"solved [\d.]+ % \([\d.]+ to [\d.]+\)", shown)
    page.mouse.move(2, 2)
    assert tip.is_hidden()
    cell.focus()
    assert tip.inner_text() == shown
    page.keyboard.press("Escape")
    assert tip.is_hidden()


def test_the_cell_that_has_the_keyboards_focus_has_a_ring_that_shows_on_any_colour(finished, look):
    page = look(finished.run)
    for name in ("l1-n2", "l1-n32"):
        cell = page.locator(f"a.cell[data-trial='{name}']")
        rings = cell.locator(".focus")
        assert [ring.is_visible() for ring in rings.all()] == [False, False]
        cell.focus()
        assert [ring.is_visible() for ring in rings.all()] == [True, True]
        strokes = [ring.evaluate("ring => getComputedStyle(ring).stroke") for ring in rings.all()]
        widths = [
            float(ring.evaluate("ring => parseFloat(getComputedStyle(ring).strokeWidth)")) for ring in rings.all()
        ]
        assert contrast(*strokes) == pytest.approx(21)
        assert widths[0] - widths[1] >= 3
        assert widths[1] >= 3


def test_the_heat_map_shows_the_number_that_is_chosen(finished, look):
    page = look(finished.run)
    cell = page.locator("a.cell[data-trial='l1-n2']")

    def shown():
        return [words.text_content() for words in cell.locator("text").all() if words.is_visible()]

    assert shown() == [">400"]
    page.get_by_role("radio", name="share of the starts").check()
    assert len(shown()) == 1
    assert shown()[0].endswith(" %")
    page.get_by_role("radio", name="median epochs").check()
    assert shown() == [">400"]


def test_the_reader_picks_the_trials_whose_curves_are_shown(paneled_sweep, look):
    page = look(paneled_sweep.run)
    boxes = page.locator("#picker input")

    def shown():
        return {line.get_attribute("data-trial") for line in page.locator(".survival .series:not([hidden])").all()}

    assert 0 < len(shown()) < boxes.count()
    page.get_by_role("button", name="None").click()
    assert shown() == set()
    for at in (7, 2, 5):
        boxes.nth(at).check()
    names = {boxes.nth(at).get_attribute("value") for at in (7, 2, 5)}
    assert shown() == names
    looks = {
        line.evaluate("line => { const s = getComputedStyle(line); return s.stroke + s.strokeDasharray; }")
        for line in page.locator(".survival .series:not([hidden]) .line").all()
    }
    assert len(looks) == 3
    boxes.nth(2).uncheck()
    assert shown() == names - {boxes.nth(2).get_attribute("value")}
    page.get_by_role("button", name="The best five").click()
    assert shown() == {boxes.nth(at).get_attribute("value") for at in range(5)}


def test_all_of_many_lines_can_be_told_apart_by_colour_or_dashes(paneled_sweep, look):
    page = look(paneled_sweep.run)
    for box in page.locator("#picker input").all():
        box.check()
    lines = page.locator(".survival .series .line").all()
    looks = [
        line.evaluate("line => { const s = getComputedStyle(line); return s.stroke + s.strokeDasharray; }")
        for line in lines
    ]
    assert len(set(looks)) == len(lines) == 8


def test_the_first_lines_are_told_apart_by_their_dashes_alone(paneled_sweep, look):
    page = look(paneled_sweep.run)
    page.get_by_role("button", name="None").click()
    for box in page.locator("#picker input").all()[:6]:
        box.check()
    lines = page.locator(".survival .series:not([hidden]) .line").all()
    dashes = {line.evaluate("line => getComputedStyle(line).strokeDasharray") for line in lines}
    assert len(dashes) == len(lines) == 6


def test_the_script_gives_lines_and_names_the_looks_and_places_that_they_have_without_it(paneled_sweep, look):
    seen = []
    for scripts in (True, False):
        page = look(paneled_sweep.run, java_script_enabled=scripts)
        shown = page.locator(".survival .series:not([hidden]), .survival .at:not([hidden])").all()
        seen.append(
            [
                [mark.get_attribute(name) for name in ("data-trial", "x", "y")]
                + sorted(mark.get_attribute("class").split())
                for mark in shown
            ]
        )
    assert len(seen[0]) >= 10
    assert seen[0] == seen[1]


def test_a_picked_trial_has_its_name_at_its_curve_within_the_plot(paneled_sweep, look):
    page = look(paneled_sweep.run)
    for box in page.locator("#picker input").all():
        box.check()
    drawn = page.locator("svg.survival").bounding_box()
    names = page.locator(".survival .at:not([hidden])").all()
    assert len(names) == 8
    for name in names:
        box = name.bounding_box()
        assert drawn["x"] < box["x"]
        assert box["x"] + box["width"] < drawn["x"] + drawn["width"]
    page.get_by_role("button", name="None").click()
    assert page.locator(".survival .at:not([hidden])").count() == 0


def test_a_trial_is_seen_up_close_by_its_cell_its_row_its_address_and_the_list(finished, look):
    page = look(finished.run)

    def shown():
        (article,) = [article for article in page.locator("article.trial").all() if article.is_visible()]
        return article.get_attribute("id")

    assert shown() == "trial-l1-n32"
    page.locator("a.cell[data-trial='l1-n8']").click()
    assert shown() == "trial-l1-n8"
    page.locator("#leaderboard").get_by_role("link", name="l1-n2", exact=True).click()
    assert shown() == "trial-l1-n2"
    page.get_by_label("Trial", exact=True).select_option("l1-n32")
    assert shown() == "trial-l1-n32"
    page.goto(page.url.partition("#")[0] + "#trial-l1-n8")
    page.reload()
    assert shown() == "trial-l1-n8"
    assert page.get_by_label("Trial", exact=True).input_value() == "l1-n8"


@pytest.mark.parametrize("name", ["%E0%A4%A", "l9-n9", ""])
def test_an_address_of_no_trial_leaves_the_page_as_it_is(finished, look, name):
    page = look(finished.run)
    page.goto(f"{page.url}#trial-{name}")
    page.reload()
    assert page.locator("#trial-l1-n32").is_visible()
    page.locator("#leaderboard thead th", has_text="neurons").get_by_role("button").click()
    assert cells(page, "neurons") == ["2", "8", "32"]


def test_the_program_is_copied(finished, look):
    page = look(finished.run, permissions=["clipboard-read", "clipboard-write"])
    article = page.locator("#trial-l1-n32")
    article.get_by_role("button", name="Copy").click()
    article.get_by_role("button", name="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == article.locator("pre").text_content()
    # Opened from a disk, the page knows the model's whole path: the program runs in any folder.
    assert copied.startswith("import keras")
    (model,) = re.findall(r'load_model\("(.*)"\)', copied)
    assert Path(model) == next(finished.run.glob("trials/l1-n32/*/model.keras"))


def test_what_is_read_out_of_the_curves_follows_what_is_picked(finished, look):
    page = look(finished.run)
    drawn, key = page.locator("svg.survival"), page.locator("#survival-key")
    page.get_by_role("button", name="None").click()
    assert key.inner_text().strip() == ""
    assert drawn.get_attribute("aria-label").endswith("by epoch. No trial is picked.")
    page.locator("#picker").get_by_text("l1-n2", exact=True).click()
    assert key.inner_text().strip() == "l1-n2"
    label = drawn.get_attribute("aria-label")
    assert "l1-n2: half solved by epoch >400" in label
    assert "l1-n32" not in label


@pytest.mark.parametrize("width", [360, 768, 1920])
def test_nothing_overflows_the_page(finished, paneled_sweep, look, width):
    for run in (finished.run, paneled_sweep.run):
        page = look(run, width=width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.fixture
def wide_run(finished, tmp_path):
    """Real results under the names of a grid of 25 columns."""
    config = SweepConfig(layers=(1, 2), neurons=tuple(range(1, 26)), replicates=16, epochs=400)
    run = tmp_path / "runs" / "wide"
    under_other_names(finished.run, ("l1-n2", "l1-n8", "l1-n32"), config, run)
    write_report(open_run(str(run), "."))
    return run


def test_a_grid_of_25_columns_is_seen_whole_on_the_screen_and_in_print(wide_run, look):
    page = look(wide_run)
    panel = page.locator("#grid .panel")
    assert panel.evaluate("panel => panel.scrollWidth <= panel.clientWidth")
    page.set_viewport_size({"width": 700, "height": 900})
    page.emulate_media(media="print")
    assert panel.locator("svg.heatmap").bounding_box()["width"] <= 700


@pytest.mark.parametrize("metric", ["median", "share of the starts"])
def test_the_words_in_the_cells_of_a_wide_grid_fit(wide_run, look, metric):
    page = look(wide_run)
    page.get_by_role("radio", name=metric).check()
    cells = page.locator(".heatmap .cell").all()
    assert len(cells) == 50
    for cell in cells:
        (words,) = [text.bounding_box() for text in cell.locator("text").all() if text.is_visible()]
        face = next(rect.bounding_box() for rect in cell.locator("rect").all() if rect.is_visible())
        assert face["x"] <= words["x"]
        assert words["x"] + words["width"] <= face["x"] + face["width"]
        assert face["y"] <= words["y"]
        assert words["y"] + words["height"] <= face["y"] + face["height"]


def test_on_a_telephone_the_leaderboards_numbers_are_seen_and_what_goes_on_fades(paneled_sweep, look):
    page = look(paneled_sweep.run, width=360)
    box = page.locator("#leaderboard .scroll")
    edge = box.bounding_box()["x"] + box.bounding_box()["width"]
    row = page.locator("#leaderboard tbody tr").first
    trial, median, solved = (row.locator("th, td").nth(place).bounding_box() for place in (1, 2, 3))
    assert trial["x"] + trial["width"] <= median["x"] + 1
    assert median["x"] + median["width"] <= edge
    assert solved["x"] < edge
    faded = box.evaluate("box => getComputedStyle(box).maskImage")
    assert "calc(100% - 40px)" in faded
    box.evaluate("box => { box.scrollLeft = box.scrollWidth; }")
    page.wait_for_function(
        "box => box.classList.contains('before') && !box.classList.contains('after')", arg=box.element_handle()
    )
    assert box.evaluate("box => getComputedStyle(box).maskImage") not in ("none", faded)


def test_only_what_goes_on_to_a_side_fades(paneled_sweep, look):
    for width in (360, 1200):
        page = look(paneled_sweep.run, width=width)
        boxes = [box for box in page.locator(".scroll").all() if box.is_visible()]
        assert len(boxes) > 5
        for box in boxes:
            over = box.evaluate("box => box.scrollWidth > box.clientWidth + 1")
            assert (box.evaluate("box => getComputedStyle(box).maskImage") != "none") == over


@pytest.mark.parametrize("picture", ["accuracy", "times"])
def test_a_plots_legend_is_seen_whole_on_a_telephone(paneled_sweep, look, picture):
    page = look(paneled_sweep.run, width=360)
    wanted = {
        "accuracy": ("the first start", "mean", "10 % to 90 %"),
        "times": ("compilation", "training", "writing"),
    }
    for words in wanted[picture]:
        entry = page.locator(f"svg.{picture}").first.locator("text", has_text=words).first.bounding_box()
        assert entry["x"] + entry["width"] <= 360


def contrast(first, second):
    def luminance(colour):
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def mixed(colour, ground, opacity):
    pairs = zip(*(map(int, re.findall(r"\d+", words)[:3]) for words in (colour, ground)), strict=True)
    return " ".join(str(round(over * opacity + under * (1 - opacity))) for over, under in pairs)


@pytest.mark.parametrize(("scheme", "ground"), [("light", LIGHT), ("dark", DARK)])
def test_words_and_lines_have_contrast_in_light_and_dark(paneled_sweep, look, scheme, ground):
    page = look(paneled_sweep.run, color_scheme=scheme)
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == ground
    for box in page.locator("#picker input").all():
        box.check()
    words = [
        ("p.verdict", "color"),
        (".soft", "color"),
        ("figcaption", "color"),
        ("main a", "color"),
        (".survival text.tick", "fill"),
        ("thead button", "color"),
    ]
    lines = [(f".survival .series.s{slot} .line", "stroke") for slot in range(7)]
    marks = [
        *((f".interval{kind} .thick", "stroke") for kind in ("", ".best", ".worse")),
        (".interval .dot", "stroke"),
        (".start.first", "stroke"),
        ("path.start:not(.first)", "stroke"),
        (".dot.start:not(.first)", "fill"),
        (".middle", "stroke"),
        *((f".time.{part}", "fill") for part in ("start", "compile", "train", "other")),
        *((f".weight.{sign}.w{strength}", "stroke") for sign in ("positive", "negative") for strength in range(5)),
    ]
    for least, kind in ((4.5, words), (3, lines), (3, marks)):
        for selector, name in kind:
            mark = page.locator(selector).first
            colour = mark.evaluate("(mark, name) => getComputedStyle(mark)[name]", name)
            opacity = float(mark.evaluate("mark => getComputedStyle(mark).opacity"))
            seen = mixed(colour, ground, opacity)
            assert contrast(seen, ground) >= least, f"{selector}: {seen} on {ground}"


def test_the_words_in_the_heat_maps_cells_have_contrast(paneled_sweep, look):
    page = look(paneled_sweep.run)
    for cell in page.locator("a.cell").all():
        for metric in ("median", "solved"):
            face = cell.locator(f"rect.only-{metric}").evaluate("mark => getComputedStyle(mark).fill")
            ink = cell.locator(f"text.only-{metric}").evaluate("mark => getComputedStyle(mark).fill")
            assert contrast(face, ink) >= 4.5


def test_all_that_can_be_used_can_be_reached_by_the_keyboard_and_has_a_name(finished, look):
    page = look(finished.run)
    reached = set()
    for _ in range(200):
        page.keyboard.press("Tab")
        words = page.evaluate(
            "(() => { const e = document.activeElement; if (e === document.body) return null;"
            " return (e.tagName + ' ' + (e.getAttribute('aria-label') || e.labels?.[0]?.innerText"
            " || e.textContent || e.value)).trim(); })()"
        )
        if words is None:
            break
        assert len(words.split()) > 1, f"{words} has no name"
        reached.add(words.split("\n")[0])
    kinds = {words.split()[0].lower() for words in reached}
    assert {"a", "button", "input", "select", "div"} <= kinds
    assert any(words.startswith("a l1-n8, median") for words in reached)


def test_every_picture_has_words_for_who_does_not_see_it(finished, look):
    page = look(finished.run)
    pictures = page.locator("svg.picture").all()
    assert len(pictures) > 10
    for picture in pictures:
        assert picture.get_attribute("role") in ("img", "group")
        assert picture.get_attribute("aria-label")
    for picture in page.locator("svg:not(.picture)").all():
        assert picture.get_attribute("aria-hidden") == "true"


def test_without_scripts_the_page_has_its_numbers_its_pictures_and_its_links(finished, look):
    page = look(finished.run, java_script_enabled=False)
    assert page.locator("p.verdict").is_visible()
    assert page.get_by_role("button", name="None").is_hidden()
    assert cells(page, "trial") == ["l1-n32 ★", "l1-n8", "l1-n2"]
    page.locator("#leaderboard").get_by_role("link", name="l1-n8", exact=True).click()
    assert page.locator("#trial-l1-n8").is_visible()


def test_the_printed_page_is_dark_on_light_has_all_its_parts_and_no_controls(finished, look, tmp_path):
    page = look(finished.run, color_scheme="dark")
    page.pdf(path=tmp_path / "report.pdf", format="A4")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == LIGHT
    for control in ("nav", "#trial-choice", "button[data-copy]", "button[data-pick]"):
        assert page.locator(control).first.is_hidden()
    for part in ("p.verdict", ".survival", "article.trial.shown .network", "#leaderboard table", ".times"):
        assert page.locator(part).first.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_picture_alone_follows_light_and_dark(finished, chromium, scheme):
    context = chromium.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto((finished.run / "report" / "survival.svg").as_uri())
    ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    ink = page.locator("text").first.evaluate("mark => getComputedStyle(mark).fill")
    context.close()
    assert ground == {"light": LIGHT, "dark": DARK}[scheme]
    assert contrast(ground, ink) >= 4.5
