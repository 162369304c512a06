// A browser's report of an error counts nowhere: there is nothing to compare a preview with.

function report() {
  return { statusCode: 204 };
}
