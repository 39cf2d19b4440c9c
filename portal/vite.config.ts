import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Built into `dist`, which the API process serves. `npx vite --config portal/vite.config.ts portal` serves the sources, with a running API behind. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    target: 'es2023',
    // Names carry a hash, so that browsers may keep the files for ever.
    assetsDir: 'assets',
    // A data: address would need a policy that allows it.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 4_000,
    modulePreload: { polyfill: false },
    manifest: 'manifest.json',
    // What every page needs, and a new version of the portal leaves as it was: browsers keep it, and it packs better whole.
    rolldownOptions: {
      output: { codeSplitting: { groups: [{ name: 'base', test: /node_modules\/(react|react-dom|scheduler|@tanstack)\// }] } },
    },
  },
  worker: { format: 'es' },
  server: { proxy: { '/v1': 'http://127.0.0.1:8080', '/openapi.json': 'http://127.0.0.1:8080' } },
});
