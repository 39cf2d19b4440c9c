import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call, untilEnded } from '../../server/test/support/requests.ts';
import { noBrowser } from './support/browser.ts';
import { openPortal, type Portal } from './support/portal.ts';
import { boltz, makeTable, tableModels } from './support/samples.ts';

interface Picture {
  /** One where nothing is drawn. */
  colours: number;
  /** Pixels that are magenta, and where one in the midst of others is. */
  magenta: number;
  within: { x: number; y: number } | null;
}

/** What can be seen on the canvas. */
const pictureOf = async (page: Page): Promise<Picture> => {
  const png = (await page.locator('canvas').first().screenshot()).toString('base64');
  return page.evaluate(async (data) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const canvas = document.createElement('canvas');
    const { width, height } = image;
    [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext('2d')!;
    context.drawImage(image, 0, 0);
    const { data: pixels } = context.getImageData(0, 0, width, height);
    const found = new Set<number>();
    let magenta = 0;
    let run = 0;
    let within: { x: number; y: number } | null = null;
    for (let i = 0; i < pixels.length; i += 4) {
      const [red, green, blue] = [pixels[i]!, pixels[i + 1]!, pixels[i + 2]!];
      found.add((red << 16) | (green << 8) | blue);
      const is = red > green + 40 && blue > green + 40;
      run = is ? run + 1 : 0;
      if (is) magenta++;
      if (run === 16) within = { x: (i / 4 - 8) % width, y: Math.floor((i / 4 - 8) / width) };
    }
    return { colours: found.size, magenta, within };
  }, png);
};
const coloursOf = async (page: Page): Promise<number> => (await pictureOf(page)).colours;
const magentaOf = async (page: Page): Promise<number> => (await pictureOf(page)).magenta;

describe.skipIf(noBrowser)('screening in a browser', { timeout: 240_000 }, () => {
  let portal: Portal;
  beforeAll(async () => {
    portal = await openPortal({ models: [boltz, ...tableModels] });
  }, 60_000);
  afterAll(() => portal?.[Symbol.asyncDispose]());

  test('a screen is filled in, watched to its end, and the structure of a ligand is drawn', async () => {
    const page = await portal.visit('/screens/new');
    const start = page.getByRole('button', { name: 'Start the screen' });
    await page.getByLabel('Protein').fill('>KRAS\nMTEYKLVVVGAGG7');
    await page.getByText("The sequence has '7' at 14").waitFor();
    expect(await start.isDisabled()).toBe(true);
    await page.getByLabel('Protein').fill('>KRAS\nMTEYKLVVVGAGGVGKSALTIQLIQNHF\nVDEYDPTIEDSYRKQ');
    await page.getByText('43 residues').waitFor();
    const file = join(tmpdir(), `ligands-${process.pid}.csv`);
    await writeFile(file, 'smiles,name\nCCO,ethanol\nc1ccccc1,benzene\n');
    await page.getByLabel('File of ligands').setInputFiles(file);
    await page.getByText('2 ligands in a table').waitFor();
    await page.getByText('Advanced').click();
    await page.getByLabel('seed').fill('11');
    await page.getByLabel('diffusion_samples', { exact: true }).fill('2');
    await page.getByLabel('write_full_pae').check();
    // What the server refuses stands at its field.
    await page.getByLabel('Deadline').fill('2020-01-01T00:00');
    await start.click();
    await page.getByText('The deadline must be a minute or more from now').waitFor();
    await page.getByLabel('Deadline').fill('');
    await start.click();
    await page.getByText('2 of 2 ligands predicted').waitFor();
    await page.getByRole('row').filter({ hasText: 'benzene' }).click();
    await page.locator('[data-viewer=shown]').waitFor();
    await expect.poll(() => coloursOf(page)).toBeGreaterThan(20);
    // The canvas is never the only way: each residue is an option, and the arrows move.
    await page.getByRole('listbox', { name: 'Residues of chain A' }).getByRole('option').first().focus();
    await page.keyboard.press('ArrowRight');
    await page.getByRole('option', { name: /^THR 2, pLDDT \d+/, selected: true }).waitFor();
    // Of 43 residues and the six atoms of benzene: how sure it is of where they lie to each other, as a map and as a table.
    await page.getByRole('img', { name: /^Predicted aligned error, 49 by 49/ }).hover({ position: { x: 2, y: 2 } });
    await page.getByText('Where MET 1 of A is aligned, MET 1 of A is off by').waitFor();
    const means = page.getByRole('table', { name: 'Mean error in Å' });
    expect(await means.getByRole('row').count()).toBe(3);

    // All structures of the screen, and the others of one ligand.
    await page.goto(`/structures/${new URL(page.url()).pathname.split('/').at(-1)}/1`);
    await page.getByRole('heading', { level: 1, name: 'ethanol' }).waitFor();
    await page.getByRole('img', { name: /^Predicted aligned error, 46 by 46/ }).waitFor();
    const first = await page.getByRole('link', { name: 'Download mmCIF' }).getAttribute('href');
    await page.getByRole('button', { name: 'Model 2' }).click();
    await page.waitForURL(/model=2/);
    await page.locator('[data-viewer=shown]').waitFor();
    const second = page.getByRole('link', { name: 'Download mmCIF' });
    await expect.poll(() => second.getAttribute('href')).toMatch(/model_1\.cif$/);
    expect(first).toMatch(/structure\.cif$/);
    await page.getByRole('img', { name: /^Predicted aligned error/ }).waitFor();
    await page
      .getByRole('navigation', { name: 'Structures of this screen' })
      .getByRole('link', { name: /benzene/ })
      .click();
    await page.getByRole('heading', { level: 1, name: 'benzene' }).waitFor();
    await page.context().close();
  });

  test('structures of a screen are laid onto one of them, and the distance of two atoms is measured', async () => {
    const { client } = portal.sluice;
    const [protein, ligands] = ['MTEYKLVVVGAGGVGKSALTIQLIQNHFVDEYDPTIEDSYRKQ', 'CCO ethanol\nc1ccccc1 benzene'];
    const made = await call(client, 'POST', '/v1/screens', { name: 'Two poses', protein, ligands });
    const id = made.body['id'] as string;
    await untilEnded(client, id);
    const page = await portal.visit(`/structures/${id}/1`);
    await page.locator('[data-viewer=shown]').waitFor();
    expect(await magentaOf(page)).toBe(0);

    // Each prediction has a frame of its own: how far they lie apart is said after one was laid onto the other.
    await page.getByRole('checkbox', { name: 'Lay benzene onto ethanol' }).check();
    await page.waitForURL(/with=2/);
    const over = page.getByRole('list', { name: 'Laid onto ethanol' });
    const said = await over.getByText(/RMSD \d+\.\d\d Å over 43 residues/).innerText();
    const rmsd = Number(/RMSD ([\d.]+)/.exec(said)![1]);
    expect(rmsd).toBeGreaterThan(0.1);
    expect(rmsd).toBeLessThan(0.8);
    await expect.poll(() => magentaOf(page), { timeout: 20_000 }).toBeGreaterThan(500);

    await page.getByRole('button', { name: 'Measure' }).click();
    const residues = page.getByRole('listbox', { name: 'Residues of chain A' }).getByRole('option');
    await residues.nth(0).click();
    await residues.nth(9).click();
    const atoms = (await (await page.request.get((await page.getByRole('link', { name: 'Download mmCIF' }).getAttribute('href'))!)).text())
      .split('\n')
      .filter((row) => row.startsWith('ATOM'))
      .map((row) => row.split(' '));
    const [one, ten] = [0, 9].map((i) => atoms[i]!.slice(10, 13).map(Number));
    const apart = Math.hypot(...one!.map((value, axis) => value - ten![axis]!));
    const distance = page.getByRole('group', { name: 'Distance' });
    expect(await distance.getByRole('status').innerText()).toBe(`${apart.toFixed(2)} Å`);
    // A third begins anew; of a ligand any atom can be chosen.
    await page
      .getByRole('listbox', { name: /^Ligand/ })
      .getByRole('option')
      .first()
      .click();
    await residues.nth(0).click();
    const before = await distance.getByRole('status').innerText();
    await distance.getByRole('combobox', { name: /^First atom, of LIG1/ }).selectOption('O3');
    await expect.poll(() => distance.getByRole('status').innerText()).not.toBe(before);

    // By pointing: at the one that is laid over it.
    await distance.getByRole('button', { name: 'Forget these atoms' }).click();
    const pointed = async () => {
      await page
        .locator('canvas')
        .first()
        .click({ position: (await pictureOf(page)).within! });
      return distance.getByText(/ of [AB] in benzene$/).count();
    };
    // Where the machine is slow it still turns while it is pointed at.
    await expect.poll(pointed, { interval: 500, timeout: 60_000 }).toBeGreaterThan(0);

    await over.getByRole('button', { name: 'Take benzene off' }).click();
    await over.waitFor({ state: 'detached' });
    expect(new URL(page.url()).searchParams.has('with')).toBe(false);
    await expect.poll(() => magentaOf(page), { timeout: 20_000 }).toBe(0);
    await page.context().close();
  });

  test('8: molecules: sorted, a range of them, those with a substructure coloured, and just this range downloaded', async () => {
    const id = await makeTable(portal.sluice.client);
    const logS = 'aqsol-logs.logS';
    const page = await portal.visit(`/batches/${id}/results`);
    const grid = page.getByRole('grid', { name: 'Results' });
    await grid.getByRole('button', { name: logS }).click();
    await page.waitForURL((url) => url.searchParams.get('sort') === `-${logS}`);
    await grid.getByRole('columnheader', { name: logS }).and(page.locator('[aria-sort=descending]')).waitFor();

    await page.getByRole('link', { name: 'Figures' }).click();
    const histogram = page.getByRole('figure').filter({ has: page.getByRole('img', { name: `How ${logS} is spread` }) });
    await histogram.getByLabel('at least').fill('-4');
    await histogram.getByLabel('at most').fill('-2');
    await histogram.getByRole('button', { name: 'Show these' }).click();
    const { searchParams } = new URL(page.url());
    const query = { where: searchParams.get('where')!, sort: searchParams.get('sort')! };
    const path = `/v1/batches/${id}/results/page?${new URLSearchParams({ ...query, limit: '60' })}`;
    const { data } = (await call(portal.sluice.client, 'GET', path)).body as { data: Record<string, string | number>[] };
    const values = data.map((row) => Number(row[logS]));
    expect(values.every((value) => value >= -4 && value <= -2)).toBe(true);
    expect(values).toEqual(values.toSorted((a, b) => b - a));
    expect(data.length).toBeGreaterThan(3);
    expect(data.length).toBeLessThan(39);
    await page.getByText(`${data.length} of ${data.length} rows`).waitFor();
    const shown = await grid.locator('[data-index]').evaluateAll((rows) => rows.map((row) => row.querySelector('a')!.textContent));
    expect(shown).toEqual(data.slice(0, shown.length).map(({ line }) => String(line)));

    await page.getByRole('navigation', { name: 'Breadcrumbs' }).getByRole('link', { name: 'Blood-brain barrier, 40 molecules' }).waitFor();
    // The first time a drawing is asked for, the server is not ready: it is asked again.
    const asked = new Set<string>();
    await page.route('**/v1/depict?*', (route) => {
      const url = route.request().url();
      if (asked.has(url)) return route.continue();
      asked.add(url);
      return route.fulfill({ status: 503, headers: { 'cache-control': 'no-store' } });
    });
    await page.getByRole('link', { name: 'Molecules', exact: true }).click();
    const smarts = 'c1ccccc1';
    const { data: found } = (
      await call(portal.sluice.client, 'POST', '/v1/molecules/match', { smiles: data.map(({ smiles }) => smiles), smarts })
    ).body as { data: { matches: boolean }[] };
    const matching = data.filter((_, i) => found[i]!.matches);
    expect(matching.length).toBeGreaterThan(0);
    expect(matching.length).toBeLessThan(data.length);
    await page.getByLabel('Substructure').fill(smarts);
    await page.keyboard.press('Enter');
    await page.getByText(`${matching.length} of ${data.length} rows hold`).waitFor();
    const drawing = page.getByRole('img', { name: `Structure of ${matching[0]!['smiles']}`, exact: true });
    await drawing.waitFor();
    await expect.poll(() => page.getByRole('img', { name: /^Structure of/ }).count()).toBe(matching.length);
    expect(new URL((await drawing.getAttribute('src'))!, portal.url).searchParams.get('hl')).toBe(smarts);
    await expect.poll(() => drawing.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);

    await page.getByRole('button', { name: 'Download' }).click();
    const download = page.waitForEvent('download');
    await page.getByRole('menuitem', { name: 'CSV' }).click();
    const [header, ...rows] = (await readFile(await (await download).path(), 'utf8')).trimEnd().split(/\r?\n/);
    expect(header!.split(',').slice(0, 2)).toEqual(['line', 'custom_id']);
    expect(rows.map((row) => row.split(',')[1])).toEqual(matching.map((row) => row['custom_id']));
    await page.context().close();
  });

  test('without WebGL there are the residues, with how sure the model is of each', async () => {
    const screens = (await (
      await fetch(`${portal.url}/v1/screens`, { headers: { authorization: `Bearer ${portal.sluice.client.apiKey}` } })
    ).json()) as {
      data: { id: string }[];
    };
    const context = await portal.open();
    await context.addInitScript(() => {
      HTMLCanvasElement.prototype.getContext = () => null;
    });
    const page = await context.newPage();
    await page.goto(`/structures/${screens.data[0]!.id}/1`);
    await page.getByText('This browser draws no WebGL').waitFor();
    // Drawn flat: a line of as many pieces as the chain has residues, and the ligand.
    const drawing = page.getByRole('img', { name: /^Structure of .*, drawn flat$/ });
    await drawing.waitFor();
    expect(await drawing.locator('path[data-band]:not([data-band="ligand"])').count()).toBe(
      await page.getByRole('option', { name: /^[A-Z]{3} \d+, pLDDT/ }).count(),
    );
    expect(await drawing.locator('path[data-band="ligand"]').count()).toBeGreaterThan(0);
    await page.getByRole('option', { name: /^MET 1, pLDDT \d+/ }).waitFor();
    await context.close();
  });
});
