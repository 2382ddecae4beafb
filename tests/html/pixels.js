// Looks at a screenshot: `picture` is the PNG, base64, `spots` the lines of layout.js.
const image = new Image();
image.src = "data:image/png;base64," + picture;
document.body.append(image);

// The page has loaded when its image has.
addEventListener("load", () => {
	const canvas = document.createElement("canvas");
	canvas.width = image.width;
	canvas.height = image.height;
	const context = canvas.getContext("2d");
	context.drawImage(image, 0, 0);
	const faults = [], seen = new Set();
	for (const spot of spots) {
		const [, x, y, color] = spot.split(" ");
		const got = [...context.getImageData(x, y, 1, 1).data].slice(0, 3);
		seen.add(color);
		if (color.split(",").some((v, i) => Math.abs(v - got[i]) > 3))
			faults.push(`${got} in place of ${color} at ${x},${y}`);
	}
	const say = (what, bad) => bad.length ? `FAILED ${what}: ${bad.slice(0, 3).join("; ")}` : `ok ${what}`;
	const out = document.createElement("pre");
	out.textContent = [
		say(`${scheme}, screenshot: ${spots.length} pieces of strips have their colours`, faults),
		say(`${scheme}, screenshot: healthy, degraded, dead and the ground are told apart`,
			seen.size >= 4 && spots.length >= 20 ? [] : [`${spots.length} pieces, ${seen.size} colours`]),
	].join("\n") + "\nend\n";
	document.body.append(out);
});
