// The blocks "Live player" and "Live publisher" in the editor. Their attributes, labels and choices come from
// the plugin's attribute table; nothing here reaches a stream: the editor shows where one will be.
( ( { blocks, blockEditor, components, element, i18n, shortcode }, config ) => {
	const { createElement: el, Fragment, useState } = element;
	const { __, sprintf } = i18n;
	const { createBlock, registerBlockType } = blocks;
	const { InspectorControls, BlockControls, useBlockProps } = blockEditor;
	const { PanelBody, Placeholder, SelectControl, TextControl, ToggleControl, ToolbarGroup, ToolbarButton, Notice } = components;

	const icon = ( path ) => el( 'svg', { viewBox: '0 0 24 24', width: 24, height: 24, 'aria-hidden': true, focusable: false }, el( 'path', { d: path } ) );
	const ICONS = {
		player: icon( 'M3 5h18v14H3zm2 2v10h14V7zm5 2 5 3-5 3z' ),
		publisher: icon( 'M3 7h12v3l5-3v10l-5-3v3H3zm2 2v6h8V9z' ),
	};
	const GROUPS = [
		[ 'source', __( 'Stream', 'lianmai' ) ],
		[ 'play', __( 'Playing', 'lianmai' ) ],
		[ 'publish', __( 'Publishing', 'lianmai' ) ],
		[ 'look', __( 'Look', 'lianmai' ) ],
	];
	const ON = [ '1', 'true', 'on', 'yes' ];
	const STREAM = /^(?:webrtc:\/\/[^\s<>"/]+\/[^\s<>"]+|https?:\/\/[^\s<>"?#]+\.(?:m3u8|flv)(?:[?#][^\s<>"]*)?)$/i;

	/** Entities as what they stand for. */
	const plain = ( text ) => new DOMParser().parseFromString( `<i>${ text.replace( /</g, '&lt;' ) }</i>`, 'text/html' ).body.textContent ?? '';

	/** An attribute of a shortcode as one of the block; undefined: it is not written. */
	const read = ( name, row, { named = {}, numeric = [] } ) => {
		const written = named[ name ] ?? ( name === 'url' ? named.src : undefined );
		if ( typeof row.default === 'boolean' ) {
			if ( written === undefined ) return numeric.some( ( word ) => word.toLowerCase() === name ) ? true : undefined;
			return [ ...ON, name ].includes( written.toLowerCase() );
		}
		return written === undefined ? undefined : plain( written );
	};

	/** Rows that are attributes of the block. */
	const rowsOf = ( who ) => Object.entries( config[ who ] ).filter( ( [ , row ] ) => row.group );

	const fromShortcode = ( who, attrs ) => {
		const attributes = {};
		for ( const [ name, row ] of rowsOf( who ) ) {
			const value = read( name, row, attrs );
			if ( value !== undefined ) attributes[ name ] = value;
		}
		if ( attrs.named.class ) attributes.className = attrs.named.class;
		return attributes;
	};

	const toShortcode = ( who, attributes ) => {
		const safe = ( text ) => text.replace( /[&"<>[\]]/g, ( sign ) => `&#${ sign.charCodeAt( 0 ) };` );
		const written = rowsOf( who )
			.filter( ( [ name, row ] ) => ( attributes[ name ] ?? row.default ) !== row.default )
			.map( ( [ name ] ) => [ name, attributes[ name ] ] );
		const align = attributes.align && attributes.align !== 'none' ? `align${ attributes.align }` : '';
		const names = [ attributes.className, align ].filter( Boolean ).join( ' ' );
		if ( names ) written.push( [ 'class', names ] );
		const text = ( value ) => ( typeof value === 'boolean' ? String( Number( value ) ) : safe( String( value ) ) );
		return `[srs_${ who }${ written.map( ( [ name, value ] ) => ` ${ name }="${ text( value ) }"` ).join( '' ) }]`;
	};

	/** What is amiss with an address; empty: nothing. */
	const amiss = ( url ) => {
		const [ , scheme ] = /^\s*([^/?#:]*):/.exec( url ) ?? [];
		if ( scheme === undefined ) return '';
		if ( ! config.schemes.includes( scheme.toLowerCase() ) || ! /^\s*\w+:\/\/[^/?#\s]/.test( url ) ) return __( 'This is not the address of a stream.', 'lianmai' );
		if ( scheme.toLowerCase() === 'rtmp' ) return __( 'Browsers cannot play rtmp:// addresses. Use the webrtc:// or .flv address of the same stream.', 'lianmai' );
		return '';
	};

	/** Whether an address carries a secret. */
	const secret = ( url ) => new RegExp( `[?&#](?:${ config.secrets.join( '|' ) })=|//[^/?#]*@`, 'i' ).test( url );

	/** What will be played or published, in a sentence. */
	const place = ( { url, stream, server } ) => {
		if ( url ) return url.replace( /[?#].*$/, '' ).replace( /\/\/[^/]*@/, '//' );
		if ( ! stream ) return __( 'No stream yet', 'lianmai' );
		const where = server || config.server;
		/* translators: 1: a stream's name, 2: a server's address. */
		return where ? sprintf( __( '%1$s on %2$s', 'lianmai' ), stream, where ) : stream;
	};

	/** The picture's shape in the editor. */
	const shape = ( { ratio = '', width, height } ) => {
		const [ , across, down ] = /^(\d+)[:/](\d+)$/.exec( ratio ) ?? [];
		if ( across ) return `${ across } / ${ down }`;
		return parseInt( height, 10 ) && /^\d+(px)?$/.test( width ) ? `${ parseInt( width, 10 ) } / ${ parseInt( height, 10 ) }` : '16 / 9';
	};

	const control = ( name, row, { attributes, setAttributes } ) => {
		const value = attributes[ name ] ?? row.default;
		const set = ( next ) => setAttributes( { [ name ]: next } );
		const shared = { key: name, label: row.label, help: row.help, onChange: set, ...( config.sized ? { __nextHasNoMarginBottom: true } : {} ) };
		if ( typeof row.default === 'boolean' ) return el( ToggleControl, { ...shared, checked: value } );
		if ( config.sized ) shared.__next40pxDefaultSize = true;
		if ( row.choices ) return el( SelectControl, { ...shared, value, options: row.choices.map( ( choice ) => ( { label: choice, value: choice } ) ) } );
		const number = row.type === 'integer' ? { type: 'number', min: row.min, max: row.max } : {};
		return el( TextControl, { ...shared, ...number, value, autoComplete: 'off' } );
	};

	const Edit = ( who, title ) => function Edit( props ) {
		const { attributes, setAttributes } = props;
		const rows = rowsOf( who );
		const [ asked, ask ] = useState( false );
		const [ lost, lose ] = useState( '' );
		const { url = '', stream = '', poster = '', server = '' } = attributes;
		const width = attributes.width ?? '100%';
		const blockProps = useBlockProps( { className: `lianmai-edit lianmai-edit-${ who }`, style: { width: /^\d+$/.test( width ) ? `${ width }px` : width, maxWidth: '100%' } } );
		const wrong = amiss( url ) || ( ! url && stream && ! server && ! config.server ? __( 'Set the server under Settings → Lianmai.', 'lianmai' ) : '' );
		const warnings = [
			wrong,
			secret( url ) ? __( 'This address holds a secret. It is left out of the page; enter it under Settings → Lianmai instead.', 'lianmai' ) : '',
		].filter( Boolean );

		const panels = GROUPS.map( ( [ group, name ] ) => {
			const own = rows.filter( ( [ , row ] ) => row.group === group );
			return own.length ? el( PanelBody, { key: group, title: name, initialOpen: group === 'source' }, own.map( ( [ key, row ] ) => control( key, row, props ) ) ) : null;
		} );
		const notices = warnings.map( ( text ) => el( Notice, { key: text, status: 'warning', isDismissible: false }, text ) );
		const empty = ( ! url && ! stream ) || asked;
		const form = () => el(
			Placeholder,
			{ icon: ICONS[ who ], label: title, instructions: __( 'The address of a stream, or its name on the server of the settings.', 'lianmai' ) },
			el(
				'form',
				{
					className: 'lianmai-edit-form',
					onSubmit: ( event ) => {
						event.preventDefault();
						ask( false );
					},
				},
				[ 'url', 'stream' ].map( ( key ) => control( key, { ...config[ who ][ key ], help: undefined }, {
					attributes,
					setAttributes: ( next ) => {
						ask( true );
						setAttributes( next );
					},
				} ) ),
				el( components.Button, { variant: 'primary', type: 'submit', disabled: ! url && ! stream, ...( config.sized ? { __next40pxDefaultSize: true } : {} ) }, __( 'Done', 'lianmai' ) )
			),
			notices
		);
		const preview = () => el(
			Fragment,
			null,
			el(
				'div',
				{ className: 'lianmai-edit-picture', style: { aspectRatio: shape( attributes ) } },
				poster && poster !== lost && ! amiss( poster ) && el( 'img', { src: poster, alt: '', onError: () => lose( poster ) } ),
				el( 'span', { className: 'lianmai-edit-icon' }, ICONS[ who ] ),
				el( 'strong', null, attributes.title || title ),
				el( 'span', { className: 'lianmai-edit-place' }, place( attributes ) ),
				el( 'span', { className: 'lianmai-edit-state' }, who === 'player'
					? ( attributes.autoplay ? __( 'Plays by itself', 'lianmai' ) : __( 'Plays when a reader presses play', 'lianmai' ) )
					: __( 'Only those who may publish see it', 'lianmai' ) )
			),
			notices
		);

		return el(
			Fragment,
			null,
			el( InspectorControls, null, panels ),
			( url || stream ) && el( BlockControls, null, el( ToolbarGroup, null, el( ToolbarButton, { onClick: () => ask( ! asked ), isPressed: asked }, __( 'Replace', 'lianmai' ) ) ) ),
			el( 'div', blockProps, empty ? form() : preview() )
		);
	};

	const transforms = ( who ) => {
		const name = `lianmai/${ who }`;
		const tag = `srs_${ who }`;
		/** The shortcode that is a text, and all of it. */
		const whole = ( text = '' ) => {
			const found = shortcode.next( tag, text );
			return found && found.content.trim() === text.trim() ? found.shortcode.attrs : null;
		};
		const attributes = Object.fromEntries( rowsOf( who ).map( ( [ key, row ] ) => [ key, {
			type: typeof row.default === 'boolean' ? 'boolean' : 'string',
			shortcode: ( attrs ) => read( key, row, attrs ),
		} ] ) );
		attributes.className = { type: 'string', shortcode: ( { named } ) => named.class };
		const from = [
			{
				type: 'block',
				blocks: [ 'core/shortcode' ],
				isMatch: ( { text } ) => !! whole( text ),
				transform: ( { text } ) => createBlock( name, fromShortcode( who, whole( text ) ) ),
			},
			{ type: 'shortcode', tag, attributes },
		];
		// An address on a line of its own; before the core's embeds, which do not know live streams.
		if ( who === 'player' ) from.push( {
			type: 'raw',
			priority: 5,
			isMatch: ( node ) => node.nodeName === 'P' && STREAM.test( node.textContent.trim() ),
			transform: ( node ) => createBlock( name, { url: node.textContent.trim() } ),
		} );
		const to = [ {
			type: 'block',
			blocks: [ 'core/shortcode' ],
			transform: ( all ) => createBlock( 'core/shortcode', { text: toShortcode( who, all ) } ),
		} ];
		return { from, to };
	};

	for ( const [ who, title ] of [ [ 'player', __( 'Live player', 'lianmai' ) ], [ 'publisher', __( 'Live publisher', 'lianmai' ) ] ] ) {
		registerBlockType( `lianmai/${ who }`, {
			apiVersion: 3,
			title,
			icon: ICONS[ who ],
			edit: Edit( who, title ),
			save: () => null,
			transforms: transforms( who ),
		} );
	}
} )( window.wp, window.lianmaiEditor );
