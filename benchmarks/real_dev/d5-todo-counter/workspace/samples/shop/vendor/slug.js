// TODO upstream: handle accents
function slug(text) {
  return text.toLowerCase().replace(/[^a-z0-9]+/g, "-");
}
