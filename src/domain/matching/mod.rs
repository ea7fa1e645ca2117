//! Which item of Plex is this scene, how sure is that, and why?
