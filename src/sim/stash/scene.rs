//! What does the simulated Stash know about one scene?

/// A scene to put into a simulated Stash. Studios and the like are known by their names and made when they are new.
#[derive(Clone, Debug, Default)]
pub struct NewScene {
    pub title: String,
    pub details: String,
    /// `YYYY-MM-DD`, or since v0.30 also `YYYY-MM` and `YYYY`.
    pub date: Option<String>,
    pub code: String,
    pub director: String,
    /// 1 to 100
    pub rating100: Option<u32>,
    pub organized: bool,
    pub urls: Vec<String>,
    pub studio: Option<String>,
    pub performers: Vec<String>,
    pub tags: Vec<String>,
    /// Name, and the scene's place in the group.
    pub groups: Vec<(String, Option<u32>)>,
    /// Endpoint and id.
    pub stash_ids: Vec<(String, String)>,
    /// The primary file first.
    pub files: Vec<NewFile>,
    pub cover: Option<Cover>,
}

impl NewScene {
    /// An organized scene with a title and one file.
    pub fn titled(title: &str, path: &str) -> Self {
        Self { title: title.to_owned(), organized: true, files: vec![NewFile::at(path)], ..Self::default() }
    }
}

/// A file of a scene to be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewFile {
    /// As Stash sees it. Made by [`NewFile::at_bytes`] it may hold bytes that are no UTF-8.
    pub path: String,
    pub size: u64,
    /// Seconds.
    pub duration: f64,
    /// 16 hexadecimal digits; empty when it was not computed.
    pub oshash: String,
}

/// Where bytes that are no UTF-8 hide in a text until it is sent: one private character for each.
const RAW_BYTES: u32 = 0xF700;

impl NewFile {
    /// A file of a megabyte and a minute.
    pub fn at(path: &str) -> Self {
        Self { path: path.to_owned(), size: 1 << 20, duration: 60.0, oshash: String::new() }
    }

    /// The same for a name that need not be UTF-8: Stash sends such bytes as they are.
    pub fn at_bytes(path: &[u8]) -> Self {
        let mut text = String::new();
        for chunk in path.utf8_chunks() {
            text.push_str(chunk.valid());
            text.extend(
                chunk.invalid().iter().filter_map(|byte| char::from_u32(RAW_BYTES + u32::from(*byte))),
            );
        }
        Self::at(&text)
    }
}

/// Puts the bytes that are no UTF-8 back.
pub(crate) fn with_raw_bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match u32::from(character).checked_sub(RAW_BYTES).map(u8::try_from) {
            Some(Ok(byte)) => bytes.push(byte),
            Some(Err(_)) | None => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

/// A cover image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    pub content_type: String,
    pub bytes: Vec<u8>,
}

/// A file as Stash keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneFile {
    pub id: i64,
    pub file: NewFile,
    /// Seconds since 1970.
    pub updated_at: i64,
}

/// A scene as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    pub id: i64,
    pub title: String,
    pub details: String,
    pub date: Option<String>,
    pub code: String,
    pub director: String,
    pub rating100: Option<u32>,
    pub organized: bool,
    pub urls: Vec<String>,
    pub studio: Option<String>,
    pub performers: Vec<String>,
    pub tags: Vec<String>,
    pub groups: Vec<(String, Option<u32>)>,
    pub stash_ids: Vec<(String, String)>,
    pub files: Vec<SceneFile>,
    pub cover: Option<Cover>,
    /// Seconds since 1970.
    pub created_at: i64,
    /// Seconds since 1970.
    pub updated_at: i64,
}

impl Scene {
    /// The input fields that an edit from `self` to `after` would have had.
    pub(crate) fn changed_fields(&self, after: &Self) -> Vec<String> {
        let compared = [
            ("title", self.title != after.title),
            ("details", self.details != after.details),
            ("date", self.date != after.date),
            ("code", self.code != after.code),
            ("director", self.director != after.director),
            ("rating100", self.rating100 != after.rating100),
            ("organized", self.organized != after.organized),
            ("urls", self.urls != after.urls),
            ("studio_id", self.studio != after.studio),
            ("performer_ids", self.performers != after.performers),
            ("tag_ids", self.tags != after.tags),
            ("groups", self.groups != after.groups),
            ("stash_ids", self.stash_ids != after.stash_ids),
            ("cover_image", self.cover != after.cover),
        ];
        let names = compared.iter().filter(|(_, differs)| *differs).map(|(name, _)| (*name).to_owned());
        names.chain(["id".to_owned()]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_utf8_come_out_as_they_went_in() {
        let path = b"/data/bad\xff\xfename \xc5\xbc.mp4";
        assert_eq!(with_raw_bytes(&NewFile::at_bytes(path).path), path);
    }
}
