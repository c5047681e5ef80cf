import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';

export default defineConfig({
  // Of Lianmai nothing needs to be set. Vue wants to know which tags are not its own components.
  plugins: [vue({ template: { compilerOptions: { isCustomElement: (tag) => tag.startsWith('srs-') } } })],
  build: { rollupOptions: { input: ['index.html', 'react.html', 'vue.html', 'beside.html'] } },
});
