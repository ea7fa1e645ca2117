//! How is Plex asked to look into a folder?

use reqwest::Method;

use super::client::{PlexClient, Told};
use super::edit_query::encode;
use super::error::Asked;
use crate::domain::failure::Failure;
use crate::domain::ids::SectionKey;

impl PlexClient {
    /// Has a library look for files in one folder, named as the server sees it. The answer comes at once, the files
    /// come later or not at all.
    pub async fn scan(&self, section: &SectionKey, folder: &str) -> Result<(), Failure> {
        let mut url = self.at(&["library", "sections", section.as_str(), "refresh"]);
        url.set_query(Some(&encode([("path", folder)])));
        let request = self.change(Method::GET, url);
        match self.send(Asked::Library, request).await? {
            Told::Done => Ok(()),
            Told::Page(failure) => Err(failure),
        }
    }
}
