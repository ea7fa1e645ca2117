//! Which images has an item, and how does it get another?

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use super::client::{PlexClient, Told};
use super::edit_query::encode;
use super::error::Asked;
use super::wire::WireImages;
use crate::domain::edits::ImageSlot;
use crate::domain::failure::Failure;
use crate::domain::ids::RatingKey;
use crate::domain::image::Image;

/// One of the images that an item can show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedImage {
    /// What Plex calls it: `upload://` and the hash of its bytes if it was uploaded.
    pub key: String,
    pub selected: bool,
}

impl PlexClient {
    /// The images that an item can show in a place.
    pub async fn images(&self, item: &RatingKey, slot: ImageSlot) -> Result<Vec<ListedImage>, Failure> {
        let url = self.at(&["library", "metadata", item.as_str(), names(slot).list]);
        let WireImages { images } = self.decode(&self.get(Asked::Item, url).await?)?;
        let listed = images.into_iter().filter(|image| !image.key.is_empty());
        Ok(listed.map(|image| ListedImage { key: image.key, selected: image.selected }).collect())
    }

    /// Sends an image, by its bytes, so that Plex needs to know no way to Stash and no key for it. A real server shows
    /// and locks it at once. Sending it again does no harm.
    pub async fn upload_image(
        &self,
        item: &RatingKey,
        slot: ImageSlot,
        image: &Image,
    ) -> Result<Told, Failure> {
        let url = self.at(&["library", "metadata", item.as_str(), names(slot).list]);
        let request = self.change(Method::POST, url);
        let request = request.header(CONTENT_TYPE, image.media_type()).body(image.bytes().to_vec());
        self.send(Asked::Image, request).await
    }

    /// Shows one of the images that an item has.
    pub async fn select_image(&self, item: &RatingKey, slot: ImageSlot, key: &str) -> Result<Told, Failure> {
        let mut url = self.at(&["library", "metadata", item.as_str(), names(slot).selected]);
        url.set_query(Some(&encode([("url", key)])));
        self.send(Asked::Image, self.change(Method::PUT, url)).await
    }
}

/// What a place is called in addresses.
struct Names {
    list: &'static str,
    selected: &'static str,
}

fn names(slot: ImageSlot) -> Names {
    match slot {
        ImageSlot::Poster => Names { list: "posters", selected: "poster" },
        ImageSlot::Background => Names { list: "arts", selected: "art" },
    }
}
