"""Does python-plexapi take the simulated Plex for a real one?

Usage: check.py URL TOKEN. Prints what was checked; ends with 1 at the first thing that is not as it should be.
"""

import hashlib
import json
import sys
import tempfile
import urllib.request
from datetime import datetime

from plexapi.exceptions import NotFound, Unauthorized
from plexapi.server import PlexServer

SUMMARY = 'First line & <more> "quoted"\nSecond line, with spaces at the end  \n\n✨ end'
VIDEOS = 250


def check(what, found, expected):
    if found != expected:
        print(f"FAILED  {what}: found {found!r}, expected {expected!r}")
        sys.exit(1)
    print(f"ok      {what}")


def check_raises(what, kind, action):
    try:
        action()
    except kind:
        print(f"ok      {what}")
        return
    print(f"FAILED  {what}: no {kind.__name__}")
    sys.exit(1)


def locked(item, *fields):
    return [field for field in fields if item.isLocked(field)]


def told(item):
    """What can be seen of an item, to notice changes nobody asked for."""
    return (item.title, item.titleSort, item.studio, item.summary, item.updatedAt, item.originallyAvailableAt,
            [tag.tag for tag in item.genres])


def reading(plex):
    sections = plex.library.sections()
    check("libraries", [(section.key, section.title, section.type) for section in sections],
          [(1, "Videos", "movie"), (2, "Other Videos", "movie")])
    videos = plex.library.section("Videos")
    check("library's folder", videos.locations, ["/data/videos"])
    check("number of items, asked for without items", videos.totalSize, VIDEOS)
    everything = videos.all(container_size=100)
    check("listing in pages of 100", len({item.ratingKey for item in everything}), VIDEOS)
    check("listing sorted by title", [item.title for item in everything],
          [f"Video {number:03}" for number in range(1, VIDEOS + 1)])
    newest = videos.search(sort="addedAt:desc", maxresults=1)
    check("newest item", [item.title for item in newest], [f"Video {VIDEOS:03}"])
    check("search by part of a title", [item.title for item in videos.search(title="deo 07")],
          [f"Video {number:03}" for number in range(70, 80)])
    check("search by the whole title", [item.title for item in videos.search(filters={"title==": "Video 042"})],
          ["Video 042"])
    by_key = plex.fetchItem(everything[41].ratingKey)
    check("item by its key", by_key.title, "Video 042")
    check("item's file", [part.file for part in by_key.iterParts()], ["/data/videos/folder 0/Video 042.mp4"])
    check("item's library", by_key.section().title, "Videos")
    several = plex.fetchItems([everything[0].ratingKey, 999999, everything[1].ratingKey])
    check("several items, one of them gone", [item.title for item in several], ["Video 001", "Video 002"])
    return videos, everything


def editing(plex, videos, everything):
    before = {item.ratingKey: told(item) for item in videos.all()}
    movie = plex.fetchItem(everything[99].ratingKey)
    check("nothing is locked at first", [field.name for field in movie.fields], [])
    movie.editTitle("A new & <better> title ✨")
    movie.editStudio("Acme Films")
    movie.editSummary(SUMMARY)
    movie.editOriginallyAvailable("2021-05-06")
    movie.reload()
    check("title", movie.title, "A new & <better> title ✨")
    check("studio", movie.studio, "Acme Films")
    check("summary, byte for byte", movie.summary, SUMMARY)
    check("date", movie.originallyAvailableAt, datetime(2021, 5, 6))
    check("year follows the date", movie.year, 2021)
    fields = ("title", "studio", "summary", "originallyAvailableAt")
    check("written fields are locked", locked(movie, *fields), list(fields))
    check("others are not", locked(movie, "tagline", "genre", "thumb"), [])
    after = {item.ratingKey: told(item) for item in videos.all()}
    changed = [key for key in before if before[key] != after[key]]
    check("no other item has changed", changed, [movie.ratingKey])
    movie.editTagline("gone after a refresh", locked=False)
    movie.refresh()
    movie.reload()
    check("a refresh takes what is not locked", movie.tagline, None)
    check("and leaves what is", (movie.title, movie.summary), ("A new & <better> title ✨", SUMMARY))
    movie.editStudio("", locked=False).reload()
    check("a field can be emptied and unlocked", (movie.studio, locked(movie, "studio")), (None, []))


def tagging(plex, videos, everything):
    movie = plex.fetchItem(everything[9].ratingKey)
    movie.addGenre(["Drama", "Fun, with a comma & more"]).addLabel("quiet").addCollection("Best of").reload()
    check("genres", [tag.tag for tag in movie.genres], ["Drama", "Fun, with a comma & more"])
    check("a label gets a capital", [tag.tag for tag in movie.labels], ["Quiet"])
    check("collection", [tag.tag for tag in movie.collections], ["Best of"])
    check("tag fields are locked", locked(movie, "genre", "label", "collection"), ["genre", "label", "collection"])
    movie.edit(**{"actor[0].tag.tag": "Ada Example", "actor[0].tagging.text": "Captain",
                  "actor[1].tag.tag": "Ben Sample", "actor.locked": 1})
    movie.reload()
    check("actors and parts", [(role.tag, role.role) for role in movie.roles],
          [("Ada Example", "Captain"), ("Ben Sample", None)])
    movie.editTags("actor", ["Cy Third, Jr."]).reload()
    check("one actor more", [role.tag for role in movie.roles], ["Ada Example", "Ben Sample", "Cy Third, Jr."])
    movie.editTags("actor", ["Ben Sample", "Cy Third, Jr."], remove=True).reload()
    check("actors removed", [role.tag for role in movie.roles], ["Ada Example"])
    check("actors are locked", locked(movie, "actor"), ["actor"])
    movie.addLabel("élan").reload()
    check("a capital keeps its accent", [tag.tag for tag in movie.labels], ["Quiet", "Élan"])
    movie.removeLabel("Élan").reload()
    found = videos.search(label="Quiet")
    check("search by label", [item.ratingKey for item in found], [movie.ratingKey])
    movie.removeGenre("Fun, with a comma & more").removeLabel("Quiet").reload()
    check("a tag with a comma goes by its name", [tag.tag for tag in movie.genres], ["Drama"])
    check("label removed", movie.labels, [])
    other = plex.fetchItem(everything[10].ratingKey)
    other.addGenre("DRAMA").reload()
    check("the first spelling of a tag stays", [tag.tag for tag in other.genres], ["Drama"])
    videos.batchMultiEdits([movie, other]).editContentRating("XXX").saveMultiEdits()
    check("one edit for two items", [item.reload().contentRating for item in (movie, other)], ["XXX", "XXX"])


def directing_rating_and_showing(plex, everything):
    movie = plex.fetchItem(everything[19].ratingKey)
    movie.addDirector(["Jo Vogel", "Cy Third, Jr."]).reload()
    check("directors", [tag.tag for tag in movie.directors], ["Jo Vogel", "Cy Third, Jr."])
    movie.removeDirector("Cy Third, Jr.").reload()
    check("a director removed", [tag.tag for tag in movie.directors], ["Jo Vogel"])
    movie.addCollection(["One", "Two"]).reload()
    movie.removeCollection("One").reload()
    check("a collection removed", [tag.tag for tag in movie.collections], ["Two"])
    movie.rate(8.5).reload()
    check("rated", movie.userRating, 8.5)
    images = [b"GIF89a\x10\0\x09\0\0\0\0" + bytes([number]) for number in (1, 2)]
    keys = ["upload://posters/" + hashlib.sha1(image).hexdigest() for image in images]
    for image in images:
        with tempfile.NamedTemporaryFile(suffix=".gif") as file:
            file.write(image)
            file.flush()
            movie.uploadPoster(filepath=file.name)
    shown = lambda: [poster.ratingKey for poster in movie.posters() if poster.selected]
    check("the poster uploaded last is shown", shown(), [keys[1]])
    [first] = [poster for poster in movie.posters() if poster.ratingKey == keys[0]]
    movie.setPoster(first).reload()
    check("another poster selected", shown(), [keys[0]])
    check("a poster is locked", locked(movie, "thumb", "director", "collection"), ["thumb", "director", "collection"])
    return movie, keys[0]


def the_same_in_json(url, token, movie, poster):
    """python-plexapi reads XML; a second reader asks for JSON."""
    def read(path):
        request = urllib.request.Request(url + path, headers={"X-Plex-Token": token, "Accept": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["MediaContainer"]["Metadata"]
    [item] = read(movie.key)
    check("JSON: directors", [tag["tag"] for tag in item["Director"]], [tag.tag for tag in movie.directors])
    check("JSON: collections", [tag["tag"] for tag in item["Collection"]], ["Two"])
    check("JSON: rated", item["userRating"], 8.5)
    check("JSON: locks", sorted(field["name"] for field in item["Field"]), sorted(field.name for field in movie.fields))
    check("JSON: poster shown", [image["ratingKey"] for image in read(movie.key + "/posters") if image["selected"]], [poster])
    movie.rate(None).reload()
    check("the rating taken away", movie.userRating, None)
    check("JSON: the rating taken away", read(movie.key)[0].get("userRating"), None)


def scanning(videos):
    videos.update(path="/data/videos/folder 1")
    check("a scan of another folder finds nothing", videos.search(title="Found by a scan"), [])
    videos.update(path="/data/videos/new")
    check("a scan of the folder finds the file", [item.title for item in videos.search(title="Found by a scan")],
          ["Found by a scan"])


def refusing(url, plex):
    check_raises("wrong token", Unauthorized, lambda: PlexServer(url, "wrong"))
    check_raises("missing item", NotFound, lambda: plex.fetchItem(999999))
    check_raises("missing library", NotFound, lambda: plex.library.section("Nowhere"))


def main(url, token):
    plex = PlexServer(url, token)
    check("connected", plex.friendlyName, "Simulated Plex")
    videos, everything = reading(plex)
    editing(plex, videos, everything)
    tagging(plex, videos, everything)
    the_same_in_json(url, token, *directing_rating_and_showing(plex, everything))
    refusing(url, plex)
    scanning(videos)
    print("python-plexapi is content")


if __name__ == "__main__":
    main(*sys.argv[1:])
