"""Published noise corpora, one a file: which files are noise, what recording each is a piece of, and their own splits.

A recording gets the name of where it comes from: ``freesound:100032`` is the same in ESC-50, in FSD50K, in the DNS
challenge and among downloads, so that an overlap between two corpora shows.
"""

from merit.data.noise.corpora import demand, dns, esc50, freesound, musan, rirs, wham

LAYOUTS = {
    "musan": musan.LAYOUT,
    "demand": demand.LAYOUT,
    "esc50": esc50.LAYOUT,
    "wham": wham.LAYOUT,
    "freesound": freesound.LAYOUT,
    "dns": dns.LAYOUT,
    "rirs": rirs.LAYOUT,
}
