// Nothing more to tell a browser.
function mark() {}
