from bot.sandbox.rest.uploads import Upload

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + (3).to_bytes(4, "big") + (2).to_bytes(4, "big")


def test_a_png_says_its_size_and_nothing_else_does() -> None:
    assert Upload(0, "a.png", PNG).size_px == (3, 2)
    assert Upload(0, "a.png", PNG[:20]).size_px is None
    assert Upload(0, "a.txt", b"text").size_px is None


def test_the_content_type_follows_the_name() -> None:
    assert Upload(0, "chart.png", b"").content_type == "image/png"
    assert Upload(0, "noending", b"").content_type == "application/octet-stream"
