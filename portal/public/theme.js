// Before the first paint, so that a dark room is not lit up by a white page.
(function () {
  var wanted = null;
  try {
    wanted = localStorage.getItem('sluice-theme');
  } catch {
    // Storage may be forbidden; the system's choice holds then.
  }
  var dark = wanted === 'dark' || (wanted !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();
