// The settings page's "Test connection": publishes a test video over WHIP and plays it over WHEP.

/**
 * @typedef {object} TestConfig
 * @property {string} app
 * @property {string} rest
 * @property {string} nonce
 * @property {string} whip
 * @property {string} whep
 * @property {boolean} secret
 * @property {boolean} tokens
 * @property {Record<string, string>} words
 */
/** @typedef {{ peer: RTCPeerConnection, session: string, token: string }} Session */

( () => {
	/** Timeouts in milliseconds that allow for a slow network and a busy machine. */
	const GATHER = 2000, CONNECT = 20000, PICTURE = 20000;

	const config = /** @type {TestConfig} */ ( /** @type {any} */ ( window ).lianmaiTest );
	const words = config.words;
	const { Failure, reach } = /** @type {any} */ ( window ).lianmaiReach;
	const button = /** @type {HTMLButtonElement} */ ( document.getElementById( 'lianmai-test' ) );
	const list = /** @type {HTMLElement} */ ( document.getElementById( 'lianmai-test-steps' ) );
	const video = /** @type {HTMLVideoElement} */ ( document.getElementById( 'lianmai-test-picture' ) );
	const frame = /** @type {HTMLElement} */ ( video.parentElement );

	/**
	 * Shows a step with its result.
	 * @template T
	 * @param {string} name
	 * @param {() => Promise<T & { sentence?: string, advice?: string } | T>} work
	 * @returns {Promise<T>}
	 */
	const step = async ( name, work ) => {
		const item = list.appendChild( document.createElement( 'li' ) );
		item.dataset.step = name;
		item.dataset.state = 'running';
		const say = ( /** @type {string[]} */ ...parts ) => {
			const sentences = parts.filter( Boolean ).map( ( part ) => part.replace( /[^.。…!?]$/u, '$&.' ) );
			item.textContent = `${ words[ name ] }: ${ sentences.join( ' ' ) }`;
		};
		say( words.running );
		try {
			const done = /** @type {any} */ ( await work() );
			item.dataset.state = 'ok';
			say( words.ok, done?.sentence, done?.advice );
			return done;
		} catch ( error ) {
			item.dataset.state = 'failed';
			const advice = error instanceof Failure ? /** @type {any} */ ( error ).advice : '';
			say( words.failed, error instanceof Error ? error.message : String( error ), advice );
			throw error;
		}
	};

	/** Sends a request to this site. @param {string} path @param {object} [body] @returns {Promise<any>} */
	const ask = async ( path, body = {} ) => {
		const response = await fetch( config.rest + path, {
			method: 'POST',
			credentials: 'same-origin',
			headers: { 'Content-Type': 'application/json', 'X-WP-Nonce': config.nonce },
			body: JSON.stringify( body ),
		} );
		const answer = await response.json().catch( () => ( {} ) );
		if ( ! response.ok ) {
			throw new Failure( answer.message ?? String( response.status ) );
		}
		return answer;
	};

	/** Waits for a condition that events can make true. @param {EventTarget} target @param {string} event @param {() => boolean} is @param {number} limit */
	const until = ( target, event, is, limit ) => new Promise( ( resolve ) => {
		const end = () => {
			clearTimeout( timer );
			target.removeEventListener( event, check );
			resolve( is() );
		};
		const check = () => is() && end();
		const timer = setTimeout( end, limit );
		target.addEventListener( event, check );
		check();
	} );

	/** Ends a session, at the server first: otherwise the server waits for the publisher to reconnect. @param {Session} session */
	const end = async ( session ) => {
		if ( session.session ) {
			const headers = { Authorization: `Bearer ${ session.token }` };
			await fetch( session.session, { method: 'DELETE', headers: config.secret || ! session.token ? {} : headers } ).catch( () => {} );
		}
		session.peer.close();
	};

	/**
	 * Sends an offer and applies the answer.
	 * @param {RTCPeerConnection} peer @param {string} url @param {string} stream @param {'publish' | 'play'} act
	 * @returns {Promise<Session>}
	 */
	const offer = async ( peer, url, stream, act ) => {
		await peer.setLocalDescription();
		await until( peer, 'icegatheringstatechange', () => peer.iceGatheringState === 'complete', GATHER );
		const { token } = config.tokens ? await ask( 'test/token', { stream, act } ) : { token: '' };
		// A server with a shared secret does not accept tokens; the relay does.
		const shown = token && ( act === 'publish' || ! config.secret );
		/** @type {Response} */
		const response = await reach( url, {
			method: 'POST',
			headers: { 'Content-Type': 'application/sdp', ...( shown ? { Authorization: `Bearer ${ token }` } : {} ) },
			body: peer.localDescription?.sdp,
		} );
		const said = await response.text();
		if ( ! said.startsWith( 'v=0' ) ) {
			let sentence = `${ response.status }`;
			try {
				const problem = JSON.parse( said );
				sentence += ` ${ problem.message ?? problem.detail ?? problem.title ?? '' }`;
			} catch {
				sentence += ` ${ said.slice( 0, 200 ) }`;
			}
			throw new Failure( sentence, ! config.secret && [ 401, 403 ].includes( response.status ) ? words.trust : '' );
		}
		const where = response.headers.get( 'Location' );
		const session = { peer, token, session: where ? new URL( where, response.url ).href : '' };
		await peer.setRemoteDescription( { type: 'answer', sdp: said } );
		return session;
	};

	/** Creates a moving test video, so that frames are sent. */
	const picture = () => {
		const canvas = document.createElement( 'canvas' );
		canvas.width = 320;
		canvas.height = 240;
		const paint = /** @type {CanvasRenderingContext2D} */ ( canvas.getContext( '2d' ) );
		let turn = 0;
		const draw = () => {
			turn += 1;
			paint.fillStyle = `hsl(${ ( turn * 3 ) % 360 } 70% 40%)`;
			paint.fillRect( 0, 0, 320, 240 );
			paint.fillStyle = '#fff';
			paint.fillRect( ( turn * 4 ) % 320, 100, 40, 40 );
		};
		draw();
		const timer = setInterval( draw, 66 );
		const stream = canvas.captureStream( 15 );
		return {
			stream,
			stop: () => {
				clearInterval( timer );
				stream.getTracks().forEach( ( track ) => track.stop() );
			},
		};
	};

	const run = async () => {
		list.textContent = '';
		frame.hidden = true;
		const name = [ ...crypto.getRandomValues( new Uint8Array( 8 ) ) ].map( ( byte ) => byte.toString( 16 ).padStart( 2, '0' ) ).join( '' );
		const stream = `${ config.app }/${ name }`;
		/** @type {Session[]} */
		const sessions = [];
		/** @type {(() => void)[]} */
		const after = [];
		const passed = await ( async () => {
			// The next steps may still work: only a relay needs a connection between the two servers.
			const reached = await step( 'server', async () => {
				const answer = await ask( 'test/server' );
				if ( ! answer.ok ) {
					throw new Failure( answer.sentence, answer.advice );
				}
				return answer;
			} ).catch( () => false );
			const out = await step( 'publish', async () => {
				if ( typeof RTCPeerConnection === 'undefined' ) {
					throw new Failure( words.webrtc );
				}
				const source = picture();
				after.push( source.stop );
				const peer = new RTCPeerConnection();
				after.push( () => peer.close() );
				source.stream.getTracks().forEach( ( track ) => peer.addTransceiver( track, { direction: 'sendonly', streams: [ source.stream ] } ) );
				const session = await offer( peer, config.whip.replace( 'NAME', name ), stream, 'publish' );
				sessions.push( session );
				return session;
			} );
			await step( 'connect', async () => {
				if ( ! await until( out.peer, 'connectionstatechange', () => out.peer.connectionState === 'connected', CONNECT ) ) {
					throw new Failure( out.peer.connectionState, words.ice );
				}
			} );
			await step( 'play', async () => {
				const peer = new RTCPeerConnection();
				after.push( () => peer.close() );
				peer.addEventListener( 'track', ( event ) => {
					video.srcObject = event.streams[ 0 ] ?? new MediaStream( [ event.track ] );
					video.play().catch( () => {} );
				} );
				peer.addTransceiver( 'video', { direction: 'recvonly' } );
				sessions.push( await offer( peer, config.whep.replace( 'NAME', name ), stream, 'play' ) );
				frame.hidden = false;
				if ( ! await until( video, 'timeupdate', () => video.currentTime > 0 && video.videoWidth > 0, PICTURE ) ) {
					throw new Failure( words.picture, peer.connectionState === 'connected' ? '' : words.ice );
				}
			} );
			return !! reached;
		} )().catch( () => false );
		const finish = async () => {
			await Promise.all( sessions.map( end ) );
			after.forEach( ( stop ) => stop() );
			video.srcObject = null;
			frame.hidden = true;
		};
		if ( sessions.length ) {
			await step( 'end', finish );
		} else {
			await finish();
		}
		const last = document.createElement( 'li' );
		last.dataset.step = 'result';
		last.dataset.state = passed ? 'ok' : 'failed';
		last.textContent = passed ? words.done : words.failed;
		list.append( last );
	};

	button.addEventListener( 'click', async () => {
		button.disabled = true;
		await run();
		button.disabled = false;
	} );
} )();
