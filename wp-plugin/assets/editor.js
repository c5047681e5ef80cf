// The blocks for players, publishers and rooms in the editor. Their attributes, labels and choices come from
// the plugin's attribute table. The editor shows a placeholder and does not connect to a stream.

/**
 * A row of the attribute table.
 * @typedef {{ type: string, default: string | boolean, group: string, label: string, help?: string, choices?: string[], min?: number, max?: number }} Row
 * @typedef {'player' | 'publisher' | 'room' | 'rooms' | 'chat'} Who
 * @typedef {Record<string, any>} Attributes of a block
 * @typedef {{ attributes: Attributes, setAttributes: (next: Attributes) => void }} Props
 * @typedef {{ named: Record<string, string>, numeric: string[] }} Written attributes of a shortcode
 * @typedef {{ server: string, secrets: string[], schemes: string[], sized: boolean } & Record<Who, Record<string, Row>>} EditorConfig
 */

(({ blocks, blockEditor, components, element, i18n, shortcode }, /** @type {EditorConfig} */ config) => {
  const { createElement: el, Fragment, useState } = element;
  const { __, sprintf } = i18n;
  const { createBlock, registerBlockType } = blocks;
  const { InspectorControls, BlockControls, MediaUpload, MediaUploadCheck, useBlockProps } = blockEditor;
  const { Button, Notice, PanelBody, Placeholder, SelectControl, TextControl, ToggleControl, ToolbarButton, ToolbarGroup } = components;

  /** @param {string} path of an icon of 24 x 24 */
  const icon = (path) => el('svg', { viewBox: '0 0 24 24', width: 24, height: 24, 'aria-hidden': true, focusable: false }, el('path', { d: path }));
  const ICONS = {
    player: icon('M3 5h18v14H3zm2 2v10h14V7zm5 2 5 3-5 3z'),
    publisher: icon('M3 7h12v3l5-3v10l-5-3v3H3zm2 2v6h8V9z'),
    room: icon('M3 5h8v8H3zm2 2v4h4V7zm8-2h8v8h-8zm2 2v4h4V7zM3 15h18v4H3zm2 1.5v1h14v-1z'),
    rooms: icon('M3 5h6v6H3zm8 1h10v2H11zM3 13h6v6H3zm8 1h10v2H11z'),
    chat: icon('M3 4h18v13H9l-4 4v-4H3zm2 2v9h14V6z'),
  };
  const GROUPS = [
    ['source', __('Place', 'lianmai')],
    ['play', __('Playing', 'lianmai')],
    ['publish', __('Publishing', 'lianmai')],
    ['look', __('Look', 'lianmai')],
  ];
  const STREAM = /^(?:webrtc:\/\/[^\s<>"/]+\/[^\s<>"]+|https?:\/\/[^\s<>"?#]+\.(?:m3u8|flv)(?:[?#][^\s<>"]*)?)$/i;
  const size = config.sized ? { __next40pxDefaultSize: true } : {};

  /** Returns the rows that are attributes of the block. @param {Who} who */
  const rowsOf = (who) => Object.entries(config[who]).filter(([, { group }]) => group);

  /** Decodes HTML entities. @param {string} text */
  const plain = (text) => new DOMParser().parseFromString(`<i>${text.replace(/</g, '&lt;')}</i>`, 'text/html').body.textContent ?? '';

  /**
   * Converts an attribute of a shortcode to one of the block; undefined if it is absent.
   * @param {string} name
   * @param {Row} row
   * @param {Written} written
   */
  function read(name, row, { named, numeric }) {
    const value = named[name] ?? (name === 'url' ? named.src : undefined);
    if (typeof row.default === 'boolean') {
      if (value === undefined) return numeric.some((word) => word.toLowerCase() === name) || undefined;
      return ['1', 'true', 'on', 'yes', name].includes(value.trim().toLowerCase());
    }
    return value === undefined ? undefined : plain(value);
  }

  /** @param {Who} who @param {Written} written */
  function fromShortcode(who, written) {
    /** @type {Attributes} */
    const attributes = { className: written.named.class };
    for (const [name, row] of rowsOf(who)) attributes[name] = read(name, row, written);
    return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
  }

  /** @param {Who} who @param {Attributes} attributes */
  function toShortcode(who, attributes) {
    const written = rowsOf(who)
      .filter(([name, row]) => (attributes[name] ?? row.default) !== row.default)
      .map(([name]) => [name, typeof attributes[name] === 'boolean' ? Number(attributes[name]) : attributes[name]]);
    const names = [attributes.className, attributes.align && `align${attributes.align}`].filter(Boolean).join(' ');
    if (names) written.push(['class', names]);
    const safe = (/** @type {unknown} */ value) => String(value).replace(/[&"<>[\]]/g, (sign) => `&#${sign.charCodeAt(0)};`);
    return `[srs_${who}${written.map(([name, value]) => ` ${name}="${safe(value)}"`).join('')}]`;
  }

  /** Returns the fault of an address; empty if there is none. @param {string} url */
  function amiss(url) {
    const scheme = /^\s*([^/?#:]*):/.exec(url)?.[1].toLowerCase();
    if (scheme === undefined) return '';
    if (!config.schemes.includes(scheme) || !/^\s*\w+:\/\/[^/?#\s]/.test(url)) return __('This is not the address of a stream.', 'lianmai');
    if (scheme === 'rtmp') return __('Browsers cannot play rtmp:// addresses. Use the webrtc:// or .flv address of the same stream.', 'lianmai');
    return '';
  }

  /** Returns whether an address contains a secret. @param {string} url */
  const secret = (url) => new RegExp(`[?&#](?:${config.secrets.join('|')})=|//[^/?#]*@`, 'i').test(url);

  /** Returns warnings for the author before the post is published. @param {Attributes} attributes */
  const warnings = ({ url = '', stream = '', room = '', server = '' }) => [
    amiss(url),
    !url && (stream || room) && !server && !config.server ? __('Set the server under Settings → Lianmai.', 'lianmai') : '',
    secret(url) || secret(server) ? __('This address holds a secret. It is left out of the page; enter it under Settings → Lianmai instead.', 'lianmai') : '',
  ].filter(Boolean).map((text) => el(Notice, { key: text, status: 'warning', isDismissible: false }, text));

  /** Returns a description of the stream or room. @param {Attributes} attributes */
  function place({ url, stream, room, server }) {
    if (url) return url.replace(/[?#].*$/, '').replace(/\/\/[^/]*@/, '//');
    const where = server || config.server;
    const what = stream || room;
    /* translators: 1: a stream's or room's name, 2: a server's address. */
    return what && where ? sprintf(__('%1$s on %2$s', 'lianmai'), what, where) : what || where;
  }

  /** Returns the aspect ratio of the placeholder. @param {Attributes} attributes */
  function shape({ ratio = '', width = '', height = '' }) {
    const [, across, down] = /^(\d+)\s*[:/]\s*(\d+)$/.exec(ratio) ?? [];
    if (across) return `${across} / ${down}`;
    return /^\d+(px)?$/.test(width) && /^\d+(px)?$/.test(height) ? `${parseInt(width, 10)} / ${parseInt(height, 10)}` : '16 / 9';
  }

  /**
   * Returns the control for a row.
   * @param {string} name
   * @param {Row} row
   * @param {Props} props
   */
  function control(name, row, { attributes, setAttributes }) {
    const value = attributes[name] ?? row.default;
    const onChange = (/** @type {unknown} */ next) => setAttributes({ [name]: next });
    const shared = { key: name, label: row.label, help: row.help, onChange, ...(config.sized ? { __nextHasNoMarginBottom: true } : {}) };
    if (typeof row.default === 'boolean') return el(ToggleControl, { ...shared, checked: value });
    if (row.choices) return el(SelectControl, { ...shared, ...size, value, options: row.choices.map((choice) => ({ label: choice, value: choice })) });
    const number = row.type === 'integer' ? { type: 'number', min: row.min, max: row.max } : {};
    const text = el(TextControl, { ...shared, ...size, ...number, value, autoComplete: 'off' });
    if (name !== 'poster') return text;
    const choose = ({ open = () => {} }) => el(Button, { variant: 'secondary', onClick: open }, __('Choose a picture', 'lianmai'));
    const media = el(MediaUpload, { allowedTypes: ['image'], onSelect: ({ url = '' }) => onChange(url), render: choose });
    return el('div', { key: name, className: 'lianmai-edit-poster' }, text, el(MediaUploadCheck, null, media));
  }

  /** @param {Who} who @param {Props} props */
  const panels = (who, props) => GROUPS.map(([group, title]) => {
    const own = rowsOf(who).filter(([, row]) => row.group === group);
    const controls = own.map(([name, row]) => control(name, row, props));
    return own.length ? el(PanelBody, { key: group, title, initialOpen: group === 'source' }, controls) : null;
  });

  /** Returns whether the stream or room is set. @param {Attributes} attributes */
  const named = ({ url, stream, room }) => !!(url || stream || room);

  /**
   * Shows the form that asks for the stream or room.
   * @param {Who} who
   * @param {string} title
   * @param {Props} props
   * @param {(asked: boolean) => void} ask
   */
  function form(who, title, { attributes, setAttributes }, ask) {
    // Show the form while the author is typing.
    const writing = (/** @type {Attributes} */ next) => (ask(true), setAttributes(next));
    const onSubmit = (/** @type {Event} */ event) => (event.preventDefault(), ask(false));
    const asksRoom = who === 'room' || who === 'chat';
    const fields = (asksRoom ? ['room'] : ['url', 'stream']).map((name) => control(name, { ...config[who][name], help: undefined }, { attributes, setAttributes: writing }));
    const done = el(Button, { variant: 'primary', type: 'submit', disabled: !named(attributes), ...size }, __('Done', 'lianmai'));
    const instructions = asksRoom
      ? __('The name of a room, such as friday-show. The first host who enters opens it.', 'lianmai')
      : __('The address of a stream, or its name on the server of the settings.', 'lianmai');
    return el(Placeholder, { icon: ICONS[who], label: title, instructions }, el('form', { className: 'lianmai-edit-form', onSubmit }, fields, done));
  }

  /** Shows the placeholder of a block. @param {{ who: Who, title: string, attributes: Attributes }} props */
  function Preview({ who, title, attributes }) {
    const [missing, miss] = useState('');
    const { poster = '', autoplay = false } = attributes;
    const states = {
      player: autoplay ? __('Plays by itself', 'lianmai') : __('Plays when a reader presses play', 'lianmai'),
      publisher: __('Only those who may publish see it', 'lianmai'),
      room: __('Hosts talk to each other, readers watch and chat', 'lianmai'),
      rooms: __('Shows the rooms that are open', 'lianmai'),
      chat: __('Readers write here', 'lianmai'),
    };
    return el(
      'div',
      { className: 'lianmai-edit-picture', style: { aspectRatio: shape(attributes) } },
      poster && poster !== missing && !amiss(poster) && el('img', { src: poster, alt: '', onError: () => miss(poster) }),
      el('span', { className: 'lianmai-edit-icon' }, ICONS[who]),
      el('strong', null, attributes.title || title),
      el('span', { className: 'lianmai-edit-place' }, place(attributes)),
      el('span', { className: 'lianmai-edit-state' }, states[who]),
    );
  }

  /** @param {Who} who @param {string} title */
  const edit = (who, title) => function Edit(/** @type {Props} */ props) {
    const { attributes } = props;
    const [asked, ask] = useState(false);
    const { width = '100%' } = attributes;
    // Without a width attribute, the theme sets the width: an inline width would override it.
    const own = !width || width === '100%' ? {} : { width: /^\d+$/.test(width) ? `${width}px` : width, maxWidth: '100%' };
    const blockProps = useBlockProps({ className: 'lianmai-edit', style: own });
    // A list needs no stream or room.
    const there = who === 'rooms' || named(attributes);
    const replace = el(ToolbarButton, { onClick: () => ask(!asked), isPressed: asked }, __('Replace', 'lianmai'));
    return el(
      Fragment,
      null,
      el(InspectorControls, null, panels(who, props)),
      there && who !== 'rooms' && el(BlockControls, null, el(ToolbarGroup, null, replace)),
      el('div', blockProps, there && !asked ? el(Preview, { who, title, attributes }) : form(who, title, props, ask), warnings(attributes)),
    );
  };

  /** @param {Who} who */
  function transforms(who) {
    const name = `lianmai/${who}`;
    const tag = `srs_${who}`;
    /** Returns the shortcode if the whole text is one shortcode. @param {string} [text] @returns {Written | null} */
    const whole = (text = '') => {
      const found = shortcode.next(tag, text);
      return found && found.content.trim() === text.trim() ? found.shortcode.attrs : null;
    };
    /** @type {Record<string, { type: string, shortcode: (written: Written) => unknown }>} */
    const attributes = { className: { type: 'string', shortcode: ({ named }) => named.class } };
    for (const [key, row] of rowsOf(who)) attributes[key] = { type: typeof row.default, shortcode: (written) => read(key, row, written) };
    /** @type {object[]} */
    const from = [
      {
        type: 'block',
        blocks: ['core/shortcode'],
        isMatch: (/** @type {Attributes} */ { text }) => !!whole(text),
        transform: (/** @type {Attributes} */ { text }) => createBlock(name, fromShortcode(who, whole(text) ?? { named: {}, numeric: [] })),
      },
      { type: 'shortcode', tag, attributes },
    ];
    // An address on its own line. This runs before the embeds of WordPress, which do not know live streams.
    if (who === 'player') from.push({
      type: 'raw',
      priority: 5,
      isMatch: (/** @type {Element} */ node) => node.nodeName === 'P' && STREAM.test((node.textContent ?? '').trim()),
      transform: (/** @type {Element} */ node) => createBlock(name, { url: (node.textContent ?? '').trim() }),
    });
    const to = [{
      type: 'block',
      blocks: ['core/shortcode'],
      transform: (/** @type {Attributes} */ all) => createBlock('core/shortcode', { text: toShortcode(who, all) }),
    }];
    return { from, to };
  }

  const TITLES = /** @type {[Who, string][]} */ ([
    ['player', __('Live player', 'lianmai')], ['publisher', __('Live publisher', 'lianmai')], ['room', __('Live room', 'lianmai')],
    ['rooms', __('List of live rooms', 'lianmai')], ['chat', __('Live chat', 'lianmai')],
  ]);
  for (const [who, title] of TITLES) {
    registerBlockType(`lianmai/${who}`, { apiVersion: 3, title, icon: ICONS[who], edit: edit(who, title), save: () => null, transforms: transforms(who) });
  }
})(/** @type {any} */ (window).wp, /** @type {any} */ (window).lianmaiEditor);
