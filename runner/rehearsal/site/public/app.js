const answer = await fetch("/.functions/greet");
const told = answer.ok ? await answer.json() : { greeting: `status ${answer.status}` };
const place = document.querySelector("#greeting");
if (place) place.textContent = told.greeting;
