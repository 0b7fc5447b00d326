"""How the page looks: Gradio's own font and colours, in light and in dark, from 360 pixels on."""

import gradio as gr

_READABLE = {  # where Gradio's greys are too faint, and its orange too bright below white letters
    **dict.fromkeys(("block_info_text_color", "body_text_color_subdued", "input_placeholder_color"), "*neutral_500"),
    "button_primary_background_fill": "*primary_700",
    "button_primary_background_fill_hover": "*primary_800",
}
#: Gradio's own font, but with the bold weight: the half-bold file it ships lacks the Latin letters.
THEME = gr.themes.Default(font=gr.themes.LocalFont("Source Sans Pro", weights=(400, 700))).set(
    **_READABLE, **{f"{name}_dark": colour.replace("500", "400") for name, colour in _READABLE.items()}
)
CSS = """
.gradio-container { --faint: color-mix(in srgb, var(--body-text-color) 68%, transparent); --other: #0072B2;
    max-width: 1240px !important; margin: 0 auto; }
.dark .gradio-container, .gradio-container.dark { --other: #56B4E9; }
.gradio-container .html-container { padding: 0; }
.gradio-container .main.app { padding-inline: clamp(14px, 4vw, 32px) !important; }
.intro h1 { margin: 0; font-size: 30px; font-weight: 700; line-height: 1.15; }
.intro p { margin: 6px 0 0; max-width: none; color: var(--faint); font-size: var(--text-lg); }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.hint, .note, .note p { color: var(--faint); font-size: var(--text-sm); margin: 0; }

.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 10px; }
.cards a { display: flex; flex-direction: column; border: 1px solid var(--border-color-primary); overflow: hidden;
    border-radius: 10px; background: var(--background-fill-primary); color: var(--body-text-color);
    text-decoration: none; transition: border-color .15s, transform .15s; }
.cards a:hover { border-color: var(--color-accent); transform: translateY(-2px); }
.cards img, .cards .quote { width: 100%; height: 96px; object-fit: cover;
    background: var(--background-fill-secondary); }
.cards .quote { padding: 10px 12px; font-size: 13px; line-height: 1.3; color: var(--faint); overflow: hidden; }
.cards b { padding: 6px 10px 8px; font-size: 13px; line-height: 1.2; }

#words h4 { margin: 0 0 8px; color: var(--block-label-text-color, var(--faint)); font-size: var(--text-sm);
    font-weight: 400; }
#words { border: 1px solid var(--border-color-primary); border-radius: var(--block-radius); padding: 10px 14px 14px;
    background: var(--block-background-fill); }
.words { font-size: 17px; line-height: 2.1; overflow-wrap: anywhere; }
.words button { padding: 2px 1px; border-radius: 5px; cursor: pointer; font: inherit; color: inherit; }
.words button:hover { background: color-mix(in srgb, var(--color-accent) 22%, transparent); }
.words .entity { padding: 3px 4px; border-radius: 8px; border: 1.5px solid var(--colour); font-weight: 700;
    background: color-mix(in srgb, var(--colour) 16%, transparent); box-decoration-break: clone; }
.words sup { font-size: 10px; margin-inline-start: 2px; color: var(--faint); }

.answer h2 { margin: 8px 0 0; font-size: 24px; font-weight: 700; }
.answer blockquote { margin: 4px 0 16px; padding: 0 0 0 12px; border-inline-start: 3px solid var(--color-accent);
    color: var(--faint); overflow-wrap: anywhere; }
.answer h3 { margin: 0 0 12px; font-size: var(--text-xl); font-weight: 700; overflow-wrap: anywhere; }
.answer h3 em { font-style: normal; font-weight: 400; color: var(--faint); }
.answer h4 { margin: 0 0 8px; font-weight: 700; font-size: var(--text-md); }
.answer p { margin: 8px 0 0; font-size: var(--text-sm); color: var(--faint); }
.warnings { margin: 0 0 16px; padding: 8px 12px; border: 1px solid #b26a00; border-radius: 8px;
    background: color-mix(in srgb, #e69f00 14%, transparent); }
.answer .warnings p { margin: 0; color: var(--body-text-color); overflow-wrap: anywhere; }
.overview { display: grid; grid-template-columns: minmax(0, 5fr) minmax(0, 7fr); gap: 24px; align-items: start; }
.wide { overflow-x: auto; }
.answer svg { display: block; width: 100%; height: auto; }
.answer table { width: 100%; border-collapse: collapse; }
.answer th { text-align: start; font-weight: 700; font-size: var(--text-sm); color: var(--faint); }
.answer th, .answer td { padding: 6px 8px; }
.answer td { overflow-wrap: anywhere; }
.answer tr { border-bottom: 1px solid var(--border-color-primary); }
.answer code { display: block; font-size: var(--text-xs); color: var(--faint); background: none; padding: 0; }
.answer td.percent, .answer td.unsure { width: 1%; text-align: end; white-space: nowrap;
    font-variant-numeric: tabular-nums; }
.bar { width: 22%; }
.bar i { display: block; height: 9px; min-width: 2px; border-radius: 5px; background: var(--color-accent); }
.dot { display: inline-block; width: 10px; height: 10px; margin-inline-end: 7px; border-radius: 50%; }
.pairs tbody tr { cursor: pointer; }
.pairs tbody tr:hover, .pairs tr.chosen { background: var(--background-fill-secondary); }
.pairs tr.chosen { box-shadow: inset 4px 0 var(--color-accent); }
.pairs tr.other { box-shadow: inset 4px 0 var(--other); }
.pairs .name { font-weight: 700; text-align: start; cursor: pointer; color: inherit; }
.pairs .quiet td, .pairs .quiet .name { color: var(--faint); font-weight: 400; }
.pairs .quiet .bar i { background: color-mix(in srgb, var(--body-text-color) 35%, transparent); }
.compare { text-align: end; white-space: nowrap; }
.badge { display: inline-block; padding: 1px 9px; border-radius: 10px; font-size: 12px; line-height: 18px;
    font-weight: 700; border: 1.5px solid currentColor; }
.badge.a { color: #fff; background: #b44a00; border-color: #b44a00; }
.badge.b { color: var(--other); }
.two .badge.b, .moved .badge.b, button.badge.b[aria-pressed="true"] { color: #fff; background: #0072B2;
    border-color: #0072B2; }
button.badge { cursor: pointer; }
.answer :focus-visible, .words :focus-visible, .cards :focus-visible { outline: 3px solid var(--color-accent);
    outline-offset: 2px; }

.link, .graph .name { cursor: pointer; outline: none; color: var(--faint); }
.link .stroke { fill: none; stroke: currentColor; }
.link.quiet .stroke { stroke-dasharray: 3 5; opacity: .6; }
.link .reach { fill: none; stroke: transparent; stroke-width: 22; }
.graph .plate { fill: var(--body-background-fill); stroke: currentColor; stroke-width: 1; }
.graph .name text { fill: var(--body-text-color); }
.link:hover, .link:focus-visible { color: var(--body-text-color); }
.link:focus-visible .stroke { stroke-width: 7; }
.link.chosen, .name.chosen { color: var(--color-accent); }
.link.other, .name.other { color: var(--other); }
.link.chosen .stroke { opacity: 1; }
.graph .entity rect { fill: var(--background-fill-secondary); stroke: var(--border-color-primary); stroke-width: 1.5; }
.graph .entity.lit rect { stroke: var(--color-accent); stroke-width: 2.5; }
.graph .entity text { fill: var(--body-text-color); font-weight: 700; }

.details { margin-top: 28px; padding-top: 20px; border-top: 1px solid var(--border-color-primary); }
.panels { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 20px; }
.stack { display: flex; flex-direction: column; gap: 20px; min-width: 0; }
.two { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 28px; }
.two .panels { grid-template-columns: minmax(0, 1fr); }
.panel { border: 1px solid var(--border-color-primary); border-radius: 10px; padding: 14px 16px; min-width: 0; }
.answer .picture { border-radius: 8px; max-height: 460px; margin-bottom: 10px; }
.answer svg text { font-family: var(--font); }
.answer .gaussians { max-width: 420px; margin: 0 auto; }
.answer .hypergraph { margin: 0 auto; }
#feedback { align-items: center; }
.bars td:first-child { width: 45%; }
.bars tr:last-child, .pairs tr:last-child, .moves tr:last-child { border-bottom: 0; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; }
.answer .legend svg { display: inline-block; width: 14px; height: 14px; margin-inline-end: 6px; vertical-align: -2px; }
.moved { margin-bottom: 20px; border-color: var(--color-accent); }
.moves { margin-top: 8px; }
.moves td:first-child, .bars td:first-child { overflow-wrap: normal; }
.pairs .what { min-width: 125px; }
.moves .track { position: relative; width: 50%; min-width: 90px; }
.moves .track::before { content: ""; position: absolute; left: 0; right: 0; top: 50%; height: 1px;
    background: var(--border-color-primary); }
.moves i { position: absolute; top: 50%; }
.moves .rail { height: 4px; margin-top: -2px; background: var(--faint); opacity: .5; }
.moves .end { width: 14px; height: 14px; margin: -7px 0 0 -7px; border-radius: 50%; border: 2px solid #fff; }
.moves .axis { display: flex; justify-content: space-between; font-size: var(--text-xs); color: var(--faint);
    padding-inline: 0; }
.moves .end.a { background: #b44a00; }
.moves .end.b { background: #0072B2; border-radius: 3px; }
.downloads { display: flex; flex-wrap: wrap; gap: 10px; }
.answer p.downloads { margin: 18px 0 4px; }
.download { padding: 5px 12px; border: 1px solid var(--border-color-primary); border-radius: 8px;
    color: var(--body-text-color); text-decoration: none; }
.download:hover { border-color: var(--color-accent); }

@media (min-width: 641px) {
    .picture .plate { transform: scale(.78); transform-box: fill-box; transform-origin: 0 0; }
}
@media (max-width: 900px) {
    .overview, .panels, .two { grid-template-columns: minmax(0, 1fr); }
    .two .panels, .stack { gap: 14px; }
}
@media (max-width: 640px) {
    .cards { grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 8px; }
    .cards img, .cards .quote { height: 64px; }
    .cards .quote { padding: 5px 7px; font-size: 11px; }
    .cards b { padding: 4px 7px 6px; font-size: 12px; }
    .intro h1 { font-size: 25px; }
    .pairs thead, .pairs .bar { display: none; }
    .pairs tbody tr { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 8px; padding: 8px 10px; }
    .pairs td { padding: 1px 4px; }
    .pairs .from { grid-area: 1 / 1; }
    .pairs .what { grid-area: 2 / 1; }
    .pairs .what code { display: none; }
    .pairs .what .name::before { content: "↳ "; }
    .pairs .to { grid-area: 3 / 1; }
    .answer .pairs .percent { grid-area: 1 / 2; width: auto; }
    .answer .pairs .unsure { grid-area: 2 / 2; width: auto; color: var(--faint); }
    .pairs .unsure::before { content: "uncertainty "; }
    .pairs .compare { grid-area: 3 / 2; }
    .panel { padding: 10px; }
    .answer .hypergraph text { font-size: 16px; }
    .bars .bar { width: 30%; }
    .moves .track { width: 42%; min-width: 70px; }
    .moves .percent:nth-child(3), .moves .percent:nth-child(4) { display: none; }
}
"""
