from dashboards import FOLDER, rendered

FOLDER.mkdir(parents=True, exist_ok=True)
for name, content in rendered().items():
    (FOLDER / name).write_text(content, encoding="utf-8")
