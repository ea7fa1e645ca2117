//! How is Stash asked for the cover of a scene?

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};

use super::StashClient;
use crate::domain::failure::Failure;
use crate::domain::ids::SceneId;
use crate::domain::image::{Image, LARGEST_IMAGE, Unfit};
use crate::http::NoAnswer;

/// What Stash says about a cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cover {
    /// It is the one that was known.
    Unchanged,
    /// Another one, with the tag by which it is known from now on; empty when there is none.
    Image { image: Image, tag: String },
    /// None that Plex could show.
    Unfit { why: Unfit, tag: String },
}

impl StashClient {
    /// Asks for the cover of a scene; with the tag of the one that is known, only for another one. Without `?t=` in the
    /// address, which would make it another address with each edit, and its answer one that is never asked for again.
    pub async fn cover(&self, scene: SceneId, known: Option<&str>) -> Result<Cover, Failure> {
        let mut request = self.get(&["scene", &scene.to_string(), "screenshot"]);
        if let Some(known) = known {
            request = request.header(IF_NONE_MATCH, known);
        }
        let download = match self.download(request, LARGEST_IMAGE).await {
            Ok(download) => download,
            Err(NoAnswer::TooLarge { .. }) => {
                return Ok(Cover::Unfit { why: Unfit::TooLarge, tag: String::new() });
            }
            Err(error) => return Err(self.no_answer(&error)),
        };
        if download.status == StatusCode::NOT_MODIFIED {
            return Ok(Cover::Unchanged);
        }
        if !download.status.is_success() {
            return Err(self.bad_status(download));
        }
        let tag = download.header(ETAG).unwrap_or_default().to_owned();
        let declared = download.header(CONTENT_TYPE).unwrap_or_default().to_owned();
        Ok(match Image::new(&declared, download.body) {
            Ok(image) => Cover::Image { image, tag },
            Err(why) => Cover::Unfit { why, tag },
        })
    }
}
