import type { ComponentType } from 'react';

/** What a page is called in the navigation, in breadcrumbs and in ⌘K, and where it stands. */
export interface PageEntry {
  /** As the router writes it: `/batches/$id`. */
  path: string;
  title: string;
  /** The page above it, for breadcrumbs. */
  parent?: string;
  /** Its place in the navigation; a page without one is reached from others. `key` is what follows `g`. */
  nav?: { icon: string; group: 'Work' | 'Results' | 'Operate'; key?: string };
  /** Nobody need be signed in. */
  open?: boolean;
  /** The page itself: a module whose default is its component, in a chunk of its own. */
  load: () => Promise<{ default: ComponentType }>;
  /**
   * At which addresses the gates and the screenshots look at it. `{batch}` and the like are filled in from the samples of
   * `portal/test/support/samples.ts`; `await` is a text that is there when the page is.
   */
  looks: readonly { name: string; path: string; await: string }[];
}

/**
 * Every page of the portal, once. The router, the navigation, ⌘K, the gates (accessibility, foreign requests, policy) and
 * the screenshots read this list: a page that stands here has them all. How to add one: portal/README.md.
 */
export const pages: readonly PageEntry[] = [
  {
    path: '/sign-in',
    title: 'Sign in',
    open: true,
    load: () => import('../features/session/sign-in.tsx'),
    looks: [{ name: 'sign-in', path: '/sign-in', await: 'API key' }],
  },
  {
    path: '/',
    title: 'Overview',
    nav: { icon: 'overview', group: 'Work', key: 'o' },
    load: () => import('../features/dashboard/overview.tsx'),
    looks: [{ name: 'overview', path: '/', await: 'Recent batches' }],
  },
  {
    path: '/batches',
    title: 'Batches',
    nav: { icon: 'batches', group: 'Work', key: 'b' },
    load: () => import('../features/batches/list.tsx'),
    looks: [
      { name: 'batches', path: '/batches', await: 'Kinase panel' },
      { name: 'batches-peek', path: '/batches?peek={batch}', await: 'Why requests failed' },
      { name: 'batches-none', path: '/batches?q=nothing-is-called-so&status=completed', await: 'No batch matches' },
    ],
  },
  {
    path: '/batches/new',
    title: 'New batch',
    parent: '/batches',
    load: () => import('../features/create/new.tsx'),
    looks: [
      { name: 'batch-new', path: '/batches/new', await: 'Drop a file here' },
      { name: 'batch-clone', path: '/batches/new?clone={batch}', await: 'is used again' },
    ],
  },
  {
    path: '/batches/$id',
    title: 'Batch',
    parent: '/batches',
    load: () => import('../features/batches/details.tsx'),
    looks: [
      { name: 'batch', path: '/batches/{batch}', await: 'Why requests failed' },
      { name: 'batch-models', path: '/batches/{table}', await: 'a batch each' },
      { name: 'batch-running', path: '/batches/{running}', await: 'Where it stands' },
      { name: 'batch-refused', path: '/batches/{invalid}', await: 'The file was refused' },
      { name: 'batch-requests', path: '/batches/{batch}?tab=requests&line=41', await: 'Input and output' },
      { name: 'batch-output', path: '/batches/{batch}?tab=output', await: 'mol-1' },
      { name: 'batch-events', path: '/batches/{batch}?tab=events', await: 'Started' },
      { name: 'batch-config', path: '/batches/{continued}?tab=config', await: 'The one it continues' },
    ],
  },
  {
    path: '/jobs',
    title: 'Jobs',
    nav: { icon: 'jobs', group: 'Work', key: 'j' },
    load: () => import('../features/jobs/list.tsx'),
    looks: [{ name: 'jobs', path: '/jobs', await: 'Submitted' }],
  },
  {
    path: '/jobs/$id',
    title: 'Job',
    parent: '/jobs',
    load: () => import('../features/jobs/details.tsx'),
    looks: [
      { name: 'job', path: '/jobs/{job}', await: 'Answer' },
      { name: 'job-failed', path: '/jobs/{failedJob}', await: 'Why it failed' },
    ],
  },
  {
    path: '/dead-letters',
    title: 'Dead letters',
    nav: { icon: 'dead', group: 'Operate', key: 'd' },
    load: () => import('../features/dead-letters/list.tsx'),
    looks: [
      { name: 'dead-letters', path: '/dead-letters', await: 'Open one to see its requests' },
      { name: 'dead-letters-of-batch', path: '/dead-letters?code=upstream_error&batch={continued}', await: 'Run all of these again' },
    ],
  },
  {
    path: '/dead-letters/$id',
    title: 'Dead letter',
    parent: '/dead-letters',
    load: () => import('../features/dead-letters/details.tsx'),
    looks: [{ name: 'dead-letter', path: '/dead-letters/{dead}', await: 'Edit and run' }],
  },
  {
    path: '/workers',
    title: 'Workers',
    nav: { icon: 'workers', group: 'Operate', key: 'w' },
    load: () => import('../features/workers/list.tsx'),
    looks: [{ name: 'workers', path: '/workers', await: 'Last heard' }],
  },
  {
    path: '/files',
    title: 'Files',
    nav: { icon: 'files', group: 'Operate', key: 'f' },
    load: () => import('../features/files/list.tsx'),
    looks: [{ name: 'files', path: '/files', await: 'SHA-256' }],
  },
  {
    path: '/models',
    title: 'Models',
    nav: { icon: 'models', group: 'Work', key: 'm' },
    load: () => import('../features/models/list.tsx'),
    looks: [{ name: 'models', path: '/models', await: 'Newest version' }],
  },
  {
    path: '/models/$name',
    title: 'Model',
    parent: '/models',
    load: () => import('../features/models/details.tsx'),
    looks: [
      { name: 'model', path: '/models/{model}', await: 'Vetting' },
      { name: 'model-refused', path: '/models/{refused}', await: 'Vetting' },
      { name: 'model-try', path: '/models/{model}?tab=try', await: 'What the model says comes here' },
      { name: 'model-versions', path: '/models/{model}?tab=versions', await: 'Choose two to compare them' },
      { name: 'model-predictions', path: '/models/{model}?tab=history', await: 'In all' },
    ],
  },
  {
    path: '/bulk/$id',
    title: 'Operation',
    parent: '/batches',
    load: () => import('../features/bulk/progress.tsx'),
    looks: [{ name: 'bulk', path: '/bulk/{operation}', await: 'What was asked' }],
  },
  {
    path: '/requests/$id',
    title: 'Request',
    parent: '/batches',
    load: () => import('../features/batches/request-link.tsx'),
    // It leads on to the line of its batch, which has a look of its own.
    looks: [],
  },
  {
    path: '/settings',
    title: 'Settings',
    nav: { icon: 'settings', group: 'Operate', key: 's' },
    load: () => import('../features/settings/settings.tsx'),
    looks: [{ name: 'settings', path: '/settings', await: 'Of all tenants together' }],
  },
  {
    path: '/batches/$id/results',
    title: 'Results',
    parent: '/batches/$id',
    load: () => import('../features/results/details.tsx'),
    looks: [
      { name: 'results', path: '/batches/{table}/results', await: 'of 40 rows' },
      { name: 'results-figures', path: '/batches/{table}/results?view=figures', await: 'Highest' },
      { name: 'results-top', path: '/batches/{table}/results?view=best', await: 'One of each scaffold' },
      { name: 'results-molecules', path: '/batches/{table}/results?view=molecules', await: 'mol-1' },
      { name: 'results-scatter', path: '/batches/{table}/results?view=scatter', await: 'Across' },
      { name: 'results-sql', path: '/batches/{table}/results?view=sql', await: 'Ctrl Enter' },
    ],
  },
  {
    path: '/screens',
    title: 'Screens',
    nav: { icon: 'screens', group: 'Results', key: 'n' },
    load: () => import('../features/screens/list.tsx'),
    looks: [{ name: 'screens', path: '/screens', await: 'KRAS, sample' }],
  },
  {
    path: '/screens/new',
    title: 'New screen',
    parent: '/screens',
    load: () => import('../features/screens/new.tsx'),
    looks: [{ name: 'screen-new', path: '/screens/new', await: 'Start the screen' }],
  },
  {
    path: '/screens/$id',
    title: 'Screen',
    parent: '/screens',
    load: () => import('../features/screens/details.tsx'),
    looks: [
      { name: 'screen', path: '/screens/{screen}?sort=-pic50', await: 'caffeine' },
      { name: 'screen-ligand', path: '/screens/{screen}?line=1', await: 'Very high' },
      { name: 'screen-best', path: '/screens/{screen}?tab=best', await: 'By probability' },
      { name: 'screen-files', path: '/screens/{screen}?tab=files', await: 'All ligands in one file' },
      { name: 'screen-settings', path: '/screens/{screen}?tab=settings', await: 'What was asked' },
    ],
  },
  {
    path: '/structures/$batch/$line',
    title: 'Structure',
    parent: '/screens',
    load: () => import('../features/screens/structure-page.tsx'),
    looks: [
      { name: 'structure', path: '/structures/{screen}/1', await: 'Very high' },
      { name: 'structure-over', path: '/structures/{screen}/1?with=2,3', await: 'RMSD' },
    ],
  },
];
