import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call } from '../../server/test/support/requests.ts';
import { noBrowser, openPortal, type Portal } from './support/portal.ts';
import { boltz, makeTable, tableModels } from './support/samples.ts';

/** How many colours a picture of the canvas has: a viewer that draws nothing has one. */
const coloursOf = async (page: Page): Promise<number> => {
  const png = (await page.locator('canvas').first().screenshot()).toString('base64');
  return page.evaluate(async (data) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [image.width, image.height];
    const context = canvas.getContext('2d')!;
    context.drawImage(image, 0, 0);
    const { data: pixels } = context.getImageData(0, 0, image.width, image.height);
    const found = new Set<number>();
    for (let i = 0; i < pixels.length; i += 4) found.add((pixels[i]! << 16) | (pixels[i + 1]! << 8) | pixels[i + 2]!);
    return found.size;
  }, png);
};

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

    await page.getByRole('link', { name: 'Molecules' }).click();
    const smarts = 'c1ccccc1';
    const { data: found } = (
      await call(portal.sluice.client, 'POST', '/v1/molecules/match', { smiles: data.map(({ smiles }) => smiles), smarts })
    ).body as { data: { matches: boolean }[] };
    const matching = data.filter((_, i) => found[i]!.matches);
    expect(matching.length).toBeGreaterThan(0);
    expect(matching.length).toBeLessThan(data.length);
    await page.getByLabel('Substructure').fill(smarts);
    await page.keyboard.press('Enter');
    await page.getByText(`${matching.length} of the ${data.length} molecules loaded`).waitFor();
    const drawing = page.getByRole('img', { name: `Structure of ${matching[0]!['smiles']}`, exact: true });
    await drawing.waitFor();
    expect(await page.getByRole('img', { name: /^Structure of/ }).count()).toBe(matching.length);
    expect(new URL((await drawing.getAttribute('src'))!, portal.url).searchParams.get('hl')).toBe(smarts);
    await expect.poll(() => drawing.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);

    await page.getByRole('button', { name: 'Download' }).click();
    const download = page.waitForEvent('download');
    await page.getByRole('menuitem', { name: 'CSV' }).click();
    const [header, ...rows] = (await readFile(await (await download).path(), 'utf8')).trimEnd().split(/\r?\n/);
    expect(header!.split(',').slice(0, 2)).toEqual(['line', 'custom_id']);
    expect(rows.map((row) => row.split(',')[1])).toEqual(data.map((row) => row['custom_id']));
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
    expect(await page.getByRole('img', { name: /^Structure of/ }).count()).toBe(0);
    await page.getByRole('option', { name: /^MET 1, pLDDT \d+/ }).waitFor();
    await context.close();
  });
});
