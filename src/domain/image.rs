//! Is what Stash sent an image that Plex takes?

use std::fmt;

use imagesize::ImageType;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use thiserror::Error;

/// The largest image in bytes. Servers refuse those from about 10 MB on, some with a 500.
pub const LARGEST_IMAGE: usize = 10_000_000;

/// An image that Plex takes.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    bytes: Vec<u8>,
    media_type: &'static str,
}

/// Why Plex would not take it. The text continues a sentence that begins with the field.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unfit {
    #[error("is left out: Stash sent {0:?}, which is no image")]
    NoImage(String),
    /// What Stash sends in place of a cover that a scene does not have.
    #[error("is left out: Stash sent a drawing")]
    Drawing,
    #[error("is left out: the image is larger than 10 MB")]
    TooLarge,
    #[error("is left out: the image is damaged, or no JPEG, PNG, WebP or GIF")]
    Undecodable,
}

impl Image {
    /// Believes the bytes and not the declared type, as long as that says that it is an image at all.
    pub fn new(declared: &str, bytes: Vec<u8>) -> Result<Self, Unfit> {
        let declared = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if !declared.starts_with("image/") {
            return Err(Unfit::NoImage(declared));
        }
        if declared.starts_with("image/svg") {
            return Err(Unfit::Drawing);
        }
        if bytes.len() > LARGEST_IMAGE {
            return Err(Unfit::TooLarge);
        }
        let media_type = media_type(&bytes).ok_or(Unfit::Undecodable)?;
        Ok(Self { bytes, media_type })
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Such as `image/jpeg`.
    pub fn media_type(&self) -> &'static str {
        self.media_type
    }

    /// In hexadecimal digits.
    pub fn sha1(&self) -> String {
        let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.bytes);
        digest.as_ref().iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"))
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Image({}, {} bytes)", self.media_type, self.bytes.len())
    }
}

/// What the header says, once it was read up to the size of the image.
fn media_type(bytes: &[u8]) -> Option<&'static str> {
    let size = imagesize::blob_size(bytes).ok()?;
    if size.width == 0 || size.height == 0 {
        return None;
    }
    match imagesize::image_type(bytes).ok()? {
        ImageType::Jpeg => Some("image/jpeg"),
        ImageType::Png => Some("image/png"),
        ImageType::Webp => Some("image/webp"),
        ImageType::Gif => Some("image/gif"),
        // Of the many others that there are names for, none can be read with the features that are chosen.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// The header of a picture of 16 by 9.
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x09\x08\x02\0\0\0";
    const GIF: &[u8] = b"GIF89a\x10\0\x09\0\0\0\0";
    const JPEG: &[u8] =
        b"\xff\xd8\xff\xe0\0\x04\0\0\xff\xc0\0\x11\x08\0\x09\0\x10\x03\x01\x22\0\x02\x11\x01\x03\x11\x01";
    const WEBP: &[u8] = b"RIFF\x1a\0\0\0WEBPVP8 \x0e\0\0\0\x30\x01\0\x9d\x01\x2a\x10\0\x09\0\0\0";

    #[rstest]
    #[case("image/png", PNG, "image/png")]
    #[case("image/jpeg", JPEG, "image/jpeg")]
    #[case("image/webp", WEBP, "image/webp")]
    #[case::declared_wrongly("IMAGE/JPEG; q=1", GIF, "image/gif")]
    fn an_image_is_what_its_header_says(
        #[case] declared: &str,
        #[case] bytes: &[u8],
        #[case] media_type: &str,
    ) {
        assert_eq!(Image::new(declared, bytes.to_vec()).unwrap().media_type(), media_type);
    }

    #[rstest]
    #[case::page("text/html", b"<html>", Unfit::NoImage("text/html".to_owned()))]
    #[case::nothing_declared("", PNG, Unfit::NoImage(String::new()))]
    #[case::placeholder("image/svg+xml", b"<svg/>", Unfit::Drawing)]
    #[case::drawing_in_disguise("image/png", b"<svg/>", Unfit::Undecodable)]
    #[case::cut_in_the_header("image/png", &PNG[..18], Unfit::Undecodable)]
    #[case::without_a_size("image/gif", b"GIF89a\0\0\x09\0\0\0\0", Unfit::Undecodable)]
    #[case::another_kind(
        "image/bmp",
        b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x02\0\0\0\x02\0\0\0",
        Unfit::Undecodable
    )]
    #[case::empty("image/png", b"", Unfit::Undecodable)]
    fn anything_else_is_left_out(#[case] declared: &str, #[case] bytes: &[u8], #[case] why: Unfit) {
        assert_eq!(Image::new(declared, bytes.to_vec()), Err(why));
    }

    #[test]
    fn an_image_of_ten_megabytes_is_the_largest() {
        let mut bytes = PNG.to_vec();
        bytes.resize(LARGEST_IMAGE, 0);
        assert!(Image::new("image/png", bytes.clone()).is_ok());
        bytes.push(0);
        assert_eq!(Image::new("image/png", bytes), Err(Unfit::TooLarge));
    }

    #[test]
    fn an_image_is_named_by_its_bytes() {
        let image = Image::new("image/png", PNG.to_vec()).unwrap();
        assert_eq!(image.sha1().len(), 40);
        assert_ne!(image.sha1(), Image::new("image/gif", GIF.to_vec()).unwrap().sha1());
    }
}
