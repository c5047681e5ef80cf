// The checklist in the block editor: in the panel after publishing, behind a notice after an update that added live video,
// and behind a button in the post's summary.

/**
 * @typedef {{ onDismiss?: () => void }} On
 * @typedef {object} Tools of checklist.js
 * @property {(post: number) => Promise<string>} check
 * @property {(post: number, what: string) => void} dismiss
 * @property {(post: number, what: string) => boolean} isDismissed
 * @property {(content: string) => boolean} isLive
 * @property {(content: string) => string} mark
 * @property {(box: HTMLElement, post: number, on?: On) => Promise<void>} show
 * @property {Record<string, string>} words
 */

(({ components, data, editor, editPost, element, plugins }, /** @type {Tools} */ tools) => {
  const { createElement: el, Fragment, useEffect, useRef, useState } = element;
  const { Button, Modal } = components;
  const { words } = tools;
  // WordPress 6.6 moved these components.
  const { PluginPostPublishPanel, PluginPostStatusInfo } = editor?.PluginPostPublishPanel ? editor : editPost;
  const NOTICE = 'lianmai-checklist';
  /** A synced pattern may contain a player. Only the server can tell. */
  const PATTERN = '<!-- wp:block ';

  /** @param {{ post: number } & On} props */
  function List({ post, onDismiss }) {
    const box = useRef(null);
    useEffect(() => void tools.show(/** @type {any} */ (box.current), post, { onDismiss }), [post]);
    return el('div', { ref: box, className: 'lianmai-checklist' });
  }

  /** Returns the last saved post. */
  function usePost() {
    return data.useSelect((/** @type {any} */ select) => {
      const store = select('core/editor');
      const sidebar = store.isPublishSidebarOpened ?? select('core/edit-post').isPublishSidebarOpened;
      return {
        post: store.getCurrentPostId(),
        content: String(store.getCurrentPostAttribute('content') ?? ''),
        published: store.isCurrentPostPublished(),
        saving: store.isSavingPost() && !store.isAutosavingPost(),
        inPanel: sidebar(),
      };
    }, []);
  }

  function Checklist() {
    const { post, content, published, saving, inPanel } = usePost();
    const ready = published && !saving;
    const [open, setOpen] = useState(false);
    const [gone, setGone] = useState('');
    const [found, setFound] = useState('');
    /** Players and publishers for which a notice was shown, or that existed before. */
    const asked = useRef(undefined);
    const now = tools.mark(content) + (content.includes(PATTERN) ? 'p' : '');
    const live = tools.isLive(content) || found === now;
    const dismissed = gone === now || tools.isDismissed(post, now);

    useEffect(() => {
      if (!post) return;
      const before = asked.current;
      if (!ready) asked.current = before ?? '';
      if (!ready || before === now) return;
      asked.current = now;
      if (!tools.isLive(content) && content.includes(PATTERN)) void tools.check(post).then((html) => html && setFound(now), () => {});
      if (before === undefined || !live || dismissed || inPanel) return;
      data.dispatch('core/notices').createInfoNotice(words.offer, {
        id: NOTICE,
        actions: [{ label: words.show, onClick: () => setOpen(true) }],
        onDismiss: () => tools.dismiss(post, now),
      });
    }, [post, ready, now]);

    if (!post || !published || !live) return null;
    const onDismiss = () => {
      tools.dismiss(post, now);
      setGone(now);
      setOpen(false);
    };
    const onRequestClose = () => setOpen(false);
    return el(
      Fragment,
      null,
      !dismissed && el(PluginPostPublishPanel, { title: words.title, initialOpen: true }, el(List, { key: now, post, onDismiss })),
      el(PluginPostStatusInfo, null, el(Button, { variant: 'link', onClick: () => setOpen(true) }, words.show)),
      open && el(Modal, { title: words.title, onRequestClose }, el(List, { key: now, post })),
    );
  }

  plugins.registerPlugin('lianmai-checklist', { render: Checklist, icon: null });
})(/** @type {any} */ (window).wp, /** @type {any} */ (window).lianmaiChecklist);
