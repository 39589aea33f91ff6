#!/usr/bin/python3
"""Writes passed/ and failed/: small files every reader must accept, and files every reader must refuse, each with a
part of its error line in NAME.reason. Written from formats/README.md alone, sharing no code with lib/io, so that the
two check each other. Needs Python's standard library and the zstd program; run it only when the format changes:

    tests/formats/make_golden.py [FOLDER]
"""
import json
import os
import struct
import subprocess
import sys

SIZES = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "U8": 1}
CODES = {"F64": "d", "I64": "q", "F32": "f", "I32": "i", "F16": "e", "U8": "B"}
ZEROS = "0" * 16


def xxh64(data):
    """XXH64 with seed 0, by its specification."""
    p1, p2, p3, p4, p5 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
                          0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)
    mask = (1 << 64) - 1
    rotl = lambda x, r: ((x << r) | (x >> (64 - r))) & mask
    step = lambda acc, lane: rotl((acc + lane * p2) & mask, 31) * p1 & mask
    at = 0
    if len(data) >= 32:
        acc = [(p1 + p2) & mask, p2, 0, -p1 & mask]
        while at + 32 <= len(data):
            for i, lane in enumerate(struct.unpack_from("<4Q", data, at)):
                acc[i] = step(acc[i], lane)
            at += 32
        h = sum(rotl(a, r) for a, r in zip(acc, (1, 7, 12, 18))) & mask
        for a in acc:
            h = ((h ^ step(0, a)) * p1 + p4) & mask
    else:
        h = p5
    h = (h + len(data)) & mask
    while at + 8 <= len(data):
        h = (rotl(h ^ step(0, struct.unpack_from("<Q", data, at)[0]), 27) * p1 + p4) & mask
        at += 8
    if at + 4 <= len(data):
        h = (rotl(h ^ struct.unpack_from("<I", data, at)[0] * p1 & mask, 23) * p2 + p3) & mask
        at += 4
    for byte in data[at:]:
        h = rotl(h ^ byte * p5 & mask, 11) * p1 & mask
    h = (h ^ h >> 33) * p2 & mask
    h = (h ^ h >> 29) * p3 & mask
    return h ^ h >> 32


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


# --- columns -----------------------------------------------------------------------------------------------------

def array(dtype, values, shape=None):
    if dtype == "BF16":
        data = b"".join(struct.pack("<f", v)[2:] for v in values)
    else:
        data = struct.pack("<%d%s" % (len(values), CODES[dtype]), *values)
    return dtype, shape if shape is not None else [len(values)], data


def matrix(rows, dtype="F32", cols=0):
    return array(dtype, [v for row in rows for v in row], [len(rows), len(rows[0]) if rows else cols])


def ragged(name, dtype, rows):
    offsets = [0]
    for row in rows:
        offsets.append(offsets[-1] + len(row))
    return {name + ".values": array(dtype, [v for row in rows for v in row]), name + ".offsets": array("I64", offsets)}


def strings(name, texts):
    return ragged(name, "U8", [t.encode() for t in texts])


# --- the container -----------------------------------------------------------------------------------------------

def finish(text, data, alignment=64, padding=" ", digest=True):
    """Length, header text, padding and data; the zeros in the text become the digest of the whole."""
    text = text.encode() if isinstance(text, str) else text
    text += padding.encode() * (-(8 + len(text)) % alignment)
    whole = struct.pack("<Q", len(text)) + text + data
    return whole.replace(ZEROS.encode(), b"%016x" % xxh64(whole), 1) if digest else whole


def container(kind, tensors, options=None, inputs=(), meta=None, edit=lambda header: None, text=lambda t: t, order=None,
              more=b"", **how):
    """A whole file. `meta` overrides metadata, `edit` changes the header object, `text` its text, before the digest."""
    in_order = order or sorted(tensors, key=lambda n: (-SIZES[tensors[n][0]], n.encode()))
    header, data = {}, b""
    for name in in_order:
        dtype, shape, content = tensors[name]
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    header["__metadata__"] = {
        "nd.kind": kind, "nd.digest": ZEROS, "nd.tool": "make_golden 1", "nd.options": canonical(options or {}),
        "nd.inputs": canonical(sorted(inputs, key=lambda i: i["role"]))}
    header["__metadata__"].update(meta or {})
    edit(header)
    return finish(text(canonical(header)), data + more, **how)


def zstd(data, *options):
    return subprocess.run(["zstd", "-q", "-c", "--check", "--no-progress", *options], input=data, check=True,
                          stdout=subprocess.PIPE).stdout


# --- one sample of every kind ------------------------------------------------------------------------------------

def i32(*values):
    return array("I32", values)


def i64(*values):
    return array("I64", values)


def u8(*values):
    return array("U8", values)


def f32(*values):
    return array("F32", values)


CORPUS = {
    **strings("id", ["N1", "N2", "N3"]), "category": i32(0, 1, -1), "subcategory": i32(0, -1, -1),
    **strings("title", ["Snow in the north", "Blåbær og fløte", "雪が降る"]), **strings("abstract", ["", "x\ty\n\"", ""]),
    **strings("body", ["", "", "😀"]), **strings("url", ["https://a.example/1", "", ""]),
    "published": i64(1573552800, -1, 0), **strings("category_name", ["weather", "food"]),
    **strings("subcategory_name", ["snow"]), **strings("entity_id", ["Q1", "Q2"]),
    **strings("entity_label", ["universe", ""]), **strings("type_name", ["C"]),
    **ragged("link_entity", "I32", [[0, 1, 0], [], [1]]), "link_type": i32(0, -1, 0, 0), "link_position": u8(0, 0, 1, 1),
    "link_frequency": i32(1, 1, 3, 2), "link_first": i32(0, 8, -1, 4), "link_confidence": f32(1, 0.5, 0.9, 0)}
BEHAVIOR = {
    **strings("user_id", ["U1", "U2"]), **ragged("history", "I32", [[], [1, 0, 1]]),
    **strings("impression_id", ["1", "2", "3"]), "user": i32(0, 1, 0), "time": i64(100, -1, 300),
    "impression_history": i32(0, 1, 0), **ragged("candidate", "I32", [[0, 1], [], [2]]), "label": u8(1, 0, 255),
    "corpus_size": i64(3)}
CLICKS = {
    **strings("user_id", ["U1", "U2", "U3"]), **ragged("article", "I32", [[1, 0, 1], [], [2]]),
    "time": i64(1573552800, 1573552800, 1573556400, 0), "session": i32(4, 4, -1, 0), "corpus_size": i64(3)}
STACKS = {
    **strings("id", ["N1", "N2"]), **strings("label", ["1", "2", "3"]),
    "x": matrix([[1, -1], [0.5, -0.5], [0, 0], [2, 65504], [-1, 1], [0.25, 3]])}
KG = {
    **strings("entity_id", ["a", "b"]), **strings("relation_id", ["r"]), "head": i32(0, 1, 0), "relation": i32(0, 0, 0),
    "tail": i32(1, 0, 0), "split": i64(2, 2, 3)}
ROWS = [[1, 2, 3], [-0.5, 0, 65504]]


def vectors(dtype):
    return {**strings("id", ["x", "y"]), "x": matrix(ROWS, dtype), **strings("relation_id", ["r"]),
            "relation_x": matrix([[0.25, 0, -1]], dtype)}


VECTORS = vectors("F32")
CANDIDATES = {"impression": i32(0, 2, 2), **ragged("candidate", "I32", [[1, 0], [1], []]), "label": u8(0, 1, 255)}
SCORES = {
    **strings("impression_id", ["1", "2"]), **strings("user_id", ["U1", "U2"]), "time": i64(100, -1),
    **ragged("score", "F32", [[0.5, -1], [0.1]]), "label": u8(1, 0, 255)}
PARAMS = {"attention.w": matrix([[1, 2], [3, 4]]), "attention.b": matrix([[0, -1]]), "table/type": matrix([], cols=2),
          **strings("type_name", ["P", "G"])}
CHECKPOINT = {"now.w": matrix([[1, 2]]), "best.w": matrix([[1, 3]]), "epoch": i64(3), "step": i64(1 << 40),
              "validation": array("F64", [0.5, 0.1])}

CORPUS_INPUT = {"role": "corpus", "kind": "corpus/1", "digest": "0123456789abcdef"}
CLICKS_INPUT = {"role": "clicks", "kind": "clicks/1", "digest": "00112233445566ff"}
BEHAVIOR_INPUT = {"role": "behavior", "kind": "behavior/1", "digest": "fedcba9876543210"}
OPTIONS = {"name": "é\"\\\n\u0001", "rate": 0.1, "tiny": 5e-324, "count": -3, "on": True, "none": None,
           "list": [1, 2.5, "x", {}], "nested": {"b": [], "a": ""}}


def with_(sample, **changes):
    """A copy of a sample with some tensors replaced (dots in names as two underscores), or left out when None."""
    out = dict(sample)
    for name, tensor in changes.items():
        name = name.replace("__", ".")
        if tensor is None:
            del out[name]
        else:
            out[name] = tensor
    return out


def passed():
    yield "corpus", container("corpus/1", CORPUS, OPTIONS)
    yield "behavior", container("behavior/1", BEHAVIOR, inputs=[CORPUS_INPUT])
    yield "clicks", container("clicks/1", CLICKS, inputs=[CORPUS_INPUT])
    yield "kg", container("kg/1", KG)
    yield "vectors", container("vectors/1", VECTORS)
    yield "vectors-f16", container("vectors/1", vectors("F16"))
    yield "vectors-bf16", container("vectors/1", with_(vectors("F32"), x=matrix([[1, 2, 3], [-0.5, 0, 0.75]], "BF16")))
    yield "vectors-empty", container("vectors/1", {**strings("id", []), "x": matrix([], cols=5),
                                                   **strings("relation_id", []), "relation_x": matrix([])})
    yield "stacks", container("stacks/1", STACKS, inputs=[CORPUS_INPUT])
    yield "stacks-f16", container("stacks/1", with_(STACKS, x=matrix([[1, -1]] * 6, "F16")), inputs=[CORPUS_INPUT])
    yield "stacks-empty", container("stacks/1", {**strings("id", []), **strings("label", ["1"]), "x": matrix([], cols=4)})
    yield "candidates-of-clicks", container("candidates/1", CANDIDATES, inputs=[CORPUS_INPUT, CLICKS_INPUT])
    yield "candidates", container("candidates/1", CANDIDATES, inputs=[CORPUS_INPUT, BEHAVIOR_INPUT])
    yield "scores", container("scores/1", SCORES, {"system": "kred", "seed": 1}, [BEHAVIOR_INPUT])
    yield "scores-two-inputs-of-one-role", container("scores/1", SCORES, inputs=[
        dict(BEHAVIOR_INPUT, digest="f" * 16), BEHAVIOR_INPUT])
    yield "params", container("params/1", PARAMS, {"model": "kred"})
    yield "params-none", container("params/1", {})
    yield "checkpoint", container("checkpoint/1", CHECKPOINT)
    yield "corpus-zstd", zstd(container("corpus/1", CORPUS, OPTIONS))
    yield "scores-zstd-19", zstd(container("scores/1", SCORES), "-19")


def failed():
    kg = lambda **how: container("kg/1", KG, **how)
    good = kg()

    def edited(change):
        return kg(edit=change)

    def member(name, key, value):
        return edited(lambda h: h[name].__setitem__(key, value))

    # The length and the text of the header.
    yield "empty", b"", "is empty"
    yield "length-cut", good[:7], "ends after 7 bytes, in the header"
    yield "length-only", good[:8], "ends after 8 bytes, in the header of"
    yield "length-huge", struct.pack("<Q", 1 << 62) + good[8:], "is no nightdesk file"
    yield "length-over-16-mib", struct.pack("<Q", (16 << 20) + 56) + good[8:], "is no nightdesk file"
    yield "length-beyond-file", struct.pack("<Q", 64 * 1000 - 8) + good[8:], "in the header of 64000 bytes"
    yield "length-not-aligned", kg(alignment=8), "is no nightdesk file"
    yield "length-zero", struct.pack("<Q", 0) + good[8:], "is no nightdesk file"
    yield "text-file", b"N1\tnews\tnewsus\tTitle\n" * 20, "is no nightdesk file"
    yield "header-not-json", kg(text=lambda t: t[:-1]), "header: not JSON"
    yield "header-not-utf8", kg(text=lambda t: t.encode().replace(b"make_golden", b"make\xffgolden")), "header: not JSON"
    yield "header-array", finish("[]", b""), "header: expected a JSON object"
    yield "header-too-deep", kg(text=lambda t: t[:-1] + ',"z":' + "[" * 20 + "]" * 20 + "}"), "16 levels deep"
    yield "header-padding-too-long", kg(text=lambda t: t + " " * 64), "header: not in canonical form"
    yield "header-padding-tab", kg(padding="\t"), "header: not in canonical form"
    yield "header-spaces", kg(text=lambda t: t.replace(":", ": ", 1)), "header: not in canonical form"
    yield "header-leading-space", kg(text=lambda t: " " + t), "header: not in canonical form"
    yield "header-unsorted", kg(text=lambda t: t.replace('"dtype":"I32","shape":[3]', '"shape":[3],"dtype":"I32"')), \
        "header: not in canonical form"
    yield "header-tensor-twice", kg(text=lambda t: t.replace('"tail":', '"head":')), "header"
    yield "header-escape", kg(text=lambda t: t.replace("make_golden", "make\\u005fgolden")), "not in canonical form"
    yield "header-slash-escape", kg(text=lambda t: t.replace("kg/1", "kg\\/1")), "not in canonical form"
    # Metadata.
    yield "metadata-none", edited(lambda h: h.pop("__metadata__")), "no __metadata__, so this is no nightdesk file"
    yield "metadata-no-kind", edited(lambda h: h["__metadata__"].pop("nd.kind")), 'no "nd.kind"'
    yield "metadata-no-digest", edited(lambda h: h["__metadata__"].pop("nd.digest")), 'no string "nd.digest"'
    yield "metadata-no-tool", edited(lambda h: h["__metadata__"].pop("nd.tool")), 'no string "nd.tool"'
    yield "metadata-more", kg(meta={"nd.date": "today"}), "header: not in canonical form"
    yield "metadata-number", kg(meta={"nd.tool": 1}), 'no string "nd.tool"'
    yield "metadata-twice", kg(text=lambda t: '{"__metadata__":{"nd.kind":"kg/1"},' + t[1:]), "header"
    yield "digest-wrong", good.replace(b"%016x" % xxh64(kg(digest=False)), b"%016x" % 1), "damaged: the digest"
    yield "digest-upper-case", kg(meta={"nd.digest": "ABCDEF0123456789"}), "16 lower-case hexadecimal digits"
    yield "digest-short", kg(meta={"nd.digest": "abc"}), "16 lower-case hexadecimal digits"
    yield "data-damaged", good[:-1] + bytes([good[-1] ^ 1]), "damaged: the digest"
    yield "options-no-json", kg(meta={"nd.options": "{"}), "nd.options: not JSON"
    yield "options-no-object", kg(meta={"nd.options": "[]"}), "nd.options is not a JSON object"
    yield "options-twice", kg(meta={"nd.options": '{"a":1,"a":1}'}), '"a" comes twice'
    yield "options-unsorted", kg(meta={"nd.options": '{"b":1,"a":1}'}), "header: not in canonical form"
    yield "options-float-form", kg(meta={"nd.options": '{"a":1.0}'}), "header: not in canonical form"
    yield "inputs-no-array", kg(meta={"nd.inputs": "{}"}), "nd.inputs is not a JSON array"
    yield "inputs-no-digest", kg(meta={"nd.inputs": '[{"kind":"kg/1","role":"kg"}]'}), 'no string "digest"'
    yield "inputs-unsorted", kg(meta={"nd.inputs": canonical([CORPUS_INPUT, BEHAVIOR_INPUT])}), "not sorted by role"
    # Tensors.
    yield "tensor-dtype", member("head", "dtype", "I16"), "tensor head has the unknown dtype"
    yield "tensor-no-dtype", edited(lambda h: h["head"].pop("dtype")), "tensor head has no dtype"
    yield "tensor-no-shape", edited(lambda h: h["head"].pop("shape")), "tensor head has no list of integers \"shape\""
    yield "tensor-shape-float", member("head", "shape", [3.5]), "tensor head has no list of integers \"shape\""
    yield "tensor-shape-negative", member("head", "shape", [-3]), "tensor head has an impossible shape"
    yield "tensor-shape-huge", member("head", "shape", [1 << 60]), "tensor head lies at 64 to 76 of the data, expected 64 to 4611686018427387968"
    yield "tensor-shape-overflow", member("head", "shape", [1 << 40, 1 << 40]), "impossible shape"
    yield "tensor-shape-overflow-hidden", member("head", "shape", [1 << 40, 1 << 40, 0]), "impossible shape"
    yield "tensor-shape-larger-than-file", container("params/1", {"w": matrix([[1, 2]])}, edit=lambda h: h["w"].update(
        shape=[1 << 40, 1], data_offsets=[0, 1 << 42])), "expected %d" % ((1 << 42) + 256)
    yield "tensor-rank-9", member("head", "shape", [3] + [1] * 8), "9 dimensions"
    yield "tensor-no-place", edited(lambda h: h["head"].pop("data_offsets")), "tensor head has no list of integers \"data_offsets\""
    yield "tensor-place-float", member("head", "data_offsets", [0, 1.5]), "tensor head has no list of integers \"data_offsets\""
    yield "tensor-place-one", member("head", "data_offsets", [0]), "tensor head has not two data_offsets"
    yield "tensor-more", edited(lambda h: h["head"].update(more=1)), "header: not in canonical form"
    yield "tensor-no-object", edited(lambda h: h.update(head=1)), "tensor head has no dtype"
    for label, name in ("empty", ""), ("space", "he ad"), ("long", "h" * 257), ("accent", "é"), ("nul", "h\0"):
        yield "tensor-name-" + label, container("kg/1", {**KG, name: i32(1)}), "a tensor cannot be called"
    yield "tensor-gap", edited(lambda h: h["tail"].update(data_offsets=[0, 0])), \
        "tensor tail lies at 0 to 0 of the data"
    yield "tensor-overlap", edited(lambda h: h["tail"].update(data_offsets=h["head"]["data_offsets"])), \
        "tensor tail lies at"
    yield "tensor-order", container("kg/1", KG, order=sorted(KG)), "tensor relation_id.offsets lies at 50"
    # The length of the file.
    yield "data-cut", good[:-1], "expected %d" % len(good)
    yield "data-missing", good[:8 + struct.unpack("<Q", good[:8])[0]], "expected %d" % len(good)
    yield "data-more", good + b"\0", "goes on after byte %d" % len(good)
    yield "data-more-digested", kg(more=b"\0"), "goes on after byte %d" % len(good)
    # Packing.
    packed = zstd(good)
    yield "zstd-cut", packed[:-1], "byte %d: the zstd data end too early" % (len(packed) - 1)
    yield "zstd-checksum", packed[:-1] + bytes([packed[-1] ^ 1]), "damaged zstd data"
    yield "zstd-more", packed + b"\0", "byte %d: the packed data end here" % len(packed)
    yield "zstd-two-frames", zstd(good[:100]) + zstd(good[100:]), "the packed data end here"
    yield "zstd-of-cut", zstd(good[:-1]), "expected %d" % len(good)
    yield "zstd-of-more", zstd(good + b"\0"), "holds more than the %d bytes its header declares" % len(good)
    yield "zstd-bomb", zstd(good + bytes(20 << 20), "-19"), "holds more than the %d bytes its header declares" % len(good)
    yield "zstd-window", zstd(good, "-3", "--long=28"), "damaged zstd data (Frame requires too much memory"
    yield "zstd-empty", zstd(b""), "is empty"
    yield "zstd-twice", zstd(packed), "is no nightdesk file"
    # Kinds.
    yield "kind-unknown", container("weather/1", KG), 'its kind "weather/1" is not known here'
    yield "kind-next-version", container("kg/2", KG), 'its kind "kg/2" is not known here'
    kinds = {"corpus": CORPUS, "behavior": BEHAVIOR, "clicks": CLICKS, "kg": KG, "vectors": VECTORS, "stacks": STACKS,
             "candidates": CANDIDATES, "scores": SCORES}
    for kind, sample in kinds.items():
        first, last = sorted(sample)[0], sorted(sample)[-1]
        yield kind + "-tensor-missing", container(kind + "/1", with_(sample, **{first: None})), \
            "tensor %s is missing" % first
        yield kind + "-tensor-extra", container(kind + "/1", {**sample, "extra": u8(1)}), "tensor extra does not belong"
        yield kind + "-tensor-dtype", container(kind + "/1", {**sample, last: array("I32" if sample[last][0] != "I32"
                                                                                    else "I64", [0])}), \
            "tensor %s is" % last
    yield "kg-tensor-rank", container("kg/1", with_(KG, head=array("I32", [0, 1, 0], [3, 1]))), "expected one dimension"
    yield "vectors-rank", container("vectors/1", with_(VECTORS, x=f32(1, 2))), "expected two dimensions"
    yield "params-rank", container("params/1", {"w": f32(1, 2)}), "tensor w does not belong into params/1"
    yield "params-offsets-alone", container("params/1", {"s.offsets": i64(0)}), "tensor s.offsets does not belong"
    yield "params-values-alone", container("params/1", {"s.values": u8()}), "tensor s.offsets is missing"
    yield "checkpoint-dtype", container("checkpoint/1", {"w": i32(1)}), "tensor w does not belong into checkpoint/1"
    # Ragged columns and text.
    one = lambda **changes: container("corpus/1", with_(CORPUS, **changes))
    yield "offsets-none", one(id__offsets=i64()), "id.offsets does not begin with 0"
    yield "offsets-start", one(id__offsets=i64(1, 2, 4, 6)), "id.offsets does not begin with 0"
    yield "offsets-fall", one(id__offsets=i64(0, 4, 2, 6)), "id.offsets falls at row 2"
    yield "offsets-negative", one(id__offsets=i64(0, -1, 2, 6)), "id.offsets falls at row 1"
    yield "offsets-end-early", one(id__offsets=i64(0, 2, 4, 5)), "id.offsets ends at 5, but there are 6 values"
    yield "offsets-end-late", one(id__offsets=i64(0, 2, 4, 1 << 40)), "but there are 6 values"
    yield "text-not-utf8", one(id__values=u8(*b"N1N\xffN3")), "id row 2 is not UTF-8"
    yield "text-character-across-rows", one(id__values=u8(*"N1N".encode(), *"é".encode(), ord("3"))), \
        "id row 2 is not UTF-8"
    yield "text-surrogate", one(id__values=u8(*b"\xed\xa0\x80" b"N23")), "id row 1 is not UTF-8"
    # Rules of the kinds.
    yield "corpus-id-twice", one(id__values=u8(*b"N1N2N1")), "id row 3 is \"N1\", as row 1 is already"
    yield "corpus-lengths", one(category=i32(0, 1)), "category has 2 rows, but id has 3"
    yield "corpus-category", one(category=i32(0, 2, -1)), "category row 2 is 2, expected -1 to 1"
    yield "corpus-link-entity", one(link_entity__values=i32(0, 1, 2, 0)), "link_entity.values row 3 is 2"
    yield "corpus-link-position", one(link_position=u8(0, 0, 1, 2)), "link_position row 4 is 2"
    yield "corpus-link-frequency", one(link_frequency=i32(1, 1, 0, 2)), "link_frequency row 3 is 0"
    yield "corpus-link-confidence", one(link_confidence=f32(1, 0.5, 1.5, 0)), "link_confidence row 3 is not between"
    yield "corpus-link-confidence-nan", one(link_confidence=f32(1, 0.5, float("nan"), 0)), "link_confidence row 3"
    b = lambda **changes: container("behavior/1", with_(BEHAVIOR, **changes), inputs=[CORPUS_INPUT])
    yield "behavior-user-twice", b(user_id__values=u8(*b"U1U1")), "user_id row 2"
    yield "behavior-user", b(user=i32(0, 2, 0)), "user row 2 is 2, expected 0 to 1"
    yield "behavior-history", b(history__values=i32(1, 0, 3)), "history.values row 3 is 3"
    yield "behavior-candidate", b(candidate__values=i32(0, -1, 2)), "candidate.values row 2 is -1"
    yield "behavior-label", b(label=u8(1, 2, 0)), "label row 2 is 2, expected 0, 1 or 255"
    yield "behavior-label-count", b(label=u8(1, 0)), "label has 2 rows"
    yield "behavior-corpus-size", b(corpus_size=i64(3, 3)), "corpus_size has 2 rows"
    c = lambda **changes: container("clicks/1", with_(CLICKS, **changes), inputs=[CORPUS_INPUT])
    yield "clicks-user-twice", c(user_id__values=u8(*b"U1U2U1")), "user_id row 3 is \"U1\", as row 1 is already"
    yield "clicks-lengths", c(article__offsets=i64(0, 3, 4)), "article has 2 rows, but user_id has 3"
    yield "clicks-time-count", c(time=i64(1, 2, 3)), "time has 3 rows, but article.values has 4"
    yield "clicks-session-count", c(session=i32(1, 2, 3)), "session has 3 rows, but article.values has 4"
    yield "clicks-article", c(article__values=i32(1, 0, 3, 2)), "article.values row 3 is 3, expected 0 to 2"
    yield "clicks-session", c(session=i32(4, -2, -1, 0)), "session row 2 is -2"
    yield "clicks-time-unknown", c(time=i64(1, 2, 3, -1)), "time row 4 is -1, expected 0 to 4102444799"
    yield "clicks-time-milliseconds", c(time=i64(1, 2, 1573552800000, 4)), "time row 3 is 1573552800000"
    yield "clicks-time-falls", c(time=i64(1, 3, 2, 0)), 'time row 3 goes backwards within the user "U1"'
    yield "clicks-corpus-size", c(corpus_size=i64()), "corpus_size has 0 rows, expected 1"
    yield "kg-tail", container("kg/1", with_(KG, tail=i32(1, 0, 2))), "tail row 3 is 2, expected 0 to 1"
    yield "kg-split", container("kg/1", with_(KG, split=i64(2, 1, 3))), "split must be three rising counts"
    yield "kg-split-end", container("kg/1", with_(KG, split=i64(1, 2, 2))), "split must be three rising counts"
    v = lambda **changes: container("vectors/1", with_(VECTORS, **changes))
    yield "vectors-id-twice", v(id__values=u8(*b"xx")), "id row 2"
    yield "vectors-rows", v(x=matrix([[1, 2, 3]])), "x has 1 rows, but id has 2"
    yield "vectors-width", v(relation_x=matrix([[1, 2]])), "relation_x is 2 wide, but x is 3"
    yield "vectors-nan", v(x=matrix([[1, 2, 3], [4, float("nan"), 6]])), "x row 2 holds a value that is not finite"
    k = lambda **changes: container("stacks/1", with_(STACKS, **changes), inputs=[CORPUS_INPUT])
    yield "stacks-id-twice", k(id__values=u8(*b"N1N1")), "id row 2 is \"N1\", as row 1 is already"
    yield "stacks-label-twice", k(label__values=u8(*b"121")), "label row 3 is \"1\", as row 1 is already"
    yield "stacks-rows", k(x=matrix([[1, -1]] * 5)), "x has 5 rows, expected 3 for each of 2 ids"
    yield "stacks-no-label", k(label__values=u8(), label__offsets=i64(0)), "x has 6 rows, expected 0 for each of 2 ids"
    yield "stacks-nan", k(x=matrix([[1, float("nan")]] * 6)), "x row 1 holds a value that is not finite"
    yield "candidates-order", container("candidates/1", with_(CANDIDATES, impression=i32(0, 2, 1))), \
        "impression row 3 goes backwards"
    yield "scores-infinite", container("scores/1", with_(SCORES, score__values=f32(0.5, float("inf"), 0))), \
        "score row 2 holds a value that is not finite"
    yield "scores-label", container("scores/1", with_(SCORES, label=u8(1, 7, 0))), "label row 2 is 7"


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    for part in "passed", "failed":
        os.makedirs(os.path.join(folder, part), exist_ok=True)
        for old in os.listdir(os.path.join(folder, part)):
            os.remove(os.path.join(folder, part, old))
    for name, data in passed():
        with open(os.path.join(folder, "passed", name + ".safetensors"), "wb") as f:
            f.write(data)
    for name, data, reason in failed():
        with open(os.path.join(folder, "failed", name + ".safetensors"), "wb") as f:
            f.write(data)
        with open(os.path.join(folder, "failed", name + ".reason"), "w") as f:
            f.write(reason + "\n")


if __name__ == "__main__":
    main()
