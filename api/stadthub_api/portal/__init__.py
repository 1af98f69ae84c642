"""The portal: every page that people read, rendered on the server in German and English, working without scripts."""
